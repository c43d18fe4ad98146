"""Themes of our own: night and day, one of high contrast, one that colour-blind people can tell rise and fall in.

Low contrast where nothing happens, colour where something does. Every tone is legible on every ground it stands on: at
least 4.5 : 1 after WCAG, 7 : 1 in the theme of high contrast (a test computes it). Besides Textual's variables each has
``cursor`` and ``cursor-blurred`` (the selected row) and ``alarm`` (the ground of a notice).
"""

from textual.theme import BUILTIN_THEMES, Theme

NIGHT = Theme(
    name="cryptostreamx-night",
    primary="#7aa2d6",
    secondary="#5f7a99",
    accent="#8ecbd8",
    foreground="#d3d9e1",
    background="#10141a",
    surface="#141920",
    panel="#1c232d",
    success="#7fbf7f",
    warning="#dcae62",
    error="#e88686",
    dark=True,
    variables={
        "foreground-muted": "#919cac",
        "footer-key-foreground": "#8ecbd8",
        "cursor": "#22324a",
        "cursor-blurred": "#1a2433",
        "alarm": "#2c1d22",
    },
)

DAY = Theme(
    name="cryptostreamx-day",
    primary="#1f5796",
    secondary="#4c6a8a",
    accent="#0a5f70",
    foreground="#1d232b",
    background="#f7f5f0",
    surface="#f1eee7",
    panel="#e8e4da",
    success="#1d662b",
    warning="#7d4d00",
    error="#a82222",
    dark=False,
    variables={
        "foreground-muted": "#545b64",
        "footer-key-foreground": "#0a5f70",
        "cursor": "#d2e0f0",
        "cursor-blurred": "#e4eaf0",
        "alarm": "#f9e4e0",
    },
)

CONTRAST = Theme(
    name="cryptostreamx-contrast",
    primary="#8cc8ff",
    secondary="#c0d8f0",
    accent="#66f0ff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#141414",
    success="#6dff6d",
    warning="#ffd23f",
    error="#ff9d9d",
    dark=True,
    variables={
        "foreground-muted": "#d0d0d0",
        "footer-key-foreground": "#66f0ff",
        "cursor": "#00285c",
        "cursor-blurred": "#1f2a38",
        "alarm": "#3a0000",
    },
)

COLOUR_BLIND = Theme(
    # Blue and orange differ for every common kind of colour blindness, in brightness too; red and green are not used.
    name="cryptostreamx-colour-blind",
    primary="#9db4d0",
    secondary="#6f8299",
    accent="#c9c3e8",
    foreground="#dadfe6",
    background="#10141a",
    surface="#141920",
    panel="#1c232d",
    success="#56b4e9",
    warning="#f0e442",
    error="#f0a03c",
    dark=True,
    variables={
        "foreground-muted": "#929caa",
        "footer-key-foreground": "#c9c3e8",
        "cursor": "#24344c",
        "cursor-blurred": "#1a2433",
        "alarm": "#2b2214",
    },
)

THEMES = (NIGHT, DAY, CONTRAST, COLOUR_BLIND)
SHORT = {theme.name.removeprefix("cryptostreamx-"): theme for theme in THEMES}
"""What a configuration calls them."""

WORDS = {
    NIGHT.name: ("night", "dark"),
    DAY.name: ("day", "light"),
    CONTRAST.name: ("contrast", "white on black, 7 : 1"),
    COLOUR_BLIND.name: ("colour-blind", "blue and orange, no green, no red"),
}
"""What a person is told of ours when choosing."""


def theme_names() -> list[str]:
    """Return every name a configuration may use: ours, short and whole, and Textual's."""
    return [*SHORT, *(theme.name for theme in THEMES), *BUILTIN_THEMES]


def whole_name(name: str) -> str:
    """Return the name by which a theme is registered."""
    return SHORT[name].name if name in SHORT else name
