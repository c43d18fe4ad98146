"""Every tone is legible on every ground it can stand on."""

import re
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

import cryptostreamx_tui
from cryptostreamx_tui.styles.theme import CONTRAST, THEMES, theme_names, whole_name

TONES = ("foreground", "foreground-muted", "primary", "accent", "success", "error", "warning")
GROUNDS = ("background", "panel", "surface", "cursor", "cursor-blurred", "alarm")
STYLES = Path(cryptostreamx_tui.__file__).parent / "styles"


def luminance(color: Color) -> float:
    """WCAG 2.2, relative luminance."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def ratio(one: Color, other: Color) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def colours(theme: Theme) -> dict[str, Color]:
    variables = {**theme.to_color_system().generate(), **theme.variables}
    return {name: Color.parse(variables[name]) for name in (*TONES, *GROUNDS)}


def test_the_measure_is_that_of_wcag() -> None:
    assert ratio(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)
    assert ratio(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_tone_is_legible_on_every_ground(theme: Theme) -> None:
    wanted = 7.0 if theme is CONTRAST else 4.5
    found = colours(theme)
    pairs = {(tone, ground): ratio(found[tone], found[ground]) for tone in TONES for ground in GROUNDS}
    pairs["background", "primary"] = ratio(found["background"], found["primary"])  # the current tab
    assert {pair: round(value, 2) for pair, value in pairs.items() if value < wanted} == {}


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_the_selected_row_differs_from_the_others(theme: Theme) -> None:
    found = colours(theme)
    seen = [found["background"], found["cursor"], found["cursor-blurred"]]
    assert len({colour.hex for colour in seen}) == 3


def test_rise_and_fall_differ_without_red_and_green() -> None:
    """Under the three kinds of dichromacy (Viénot's matrices on linear colours would agree): blue against orange."""
    found = colours(next(theme for theme in THEMES if "blind" in theme.name))
    good, bad = found["success"], found["error"]
    assert good.b > good.r + 80, "rise is blue"
    assert bad.r > bad.b + 80, "fall is orange"


def test_style_sheets_name_no_colour_of_their_own() -> None:
    """The grounds above are all there are: a sheet uses the theme's variables only."""
    for sheet in STYLES.glob("*.tcss"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert re.findall(r"(?:color|background):[^;]*#[0-9a-fA-F]{3,8}", text) == []


def test_names_a_configuration_may_use() -> None:
    assert whole_name("night") == "cryptostreamx-night"
    assert whole_name("nord") == "nord"
    assert len(set(theme_names())) == len(theme_names())
