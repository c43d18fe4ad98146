"""NO_COLOR in a real terminal: nothing that is sent has a colour; without it, there are some."""

import re

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from cryptostreamx_tui.styles.colourless import Colourless
from tests.terminal import Terminal

SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
KEYS = (b"\x1b[B", b"h", b"w", b"!", b"?", b"\x1b", b"T", b"\x1b", b"\x10", b"\x1b", b"t")


def coloured(drawn: bytes) -> set[bytes]:
    """Return the sequences that set a colour: 30-37, 38, 39 (the default colour), 40-49, 90-97, 100-107."""
    found = set()
    for sequence in SGR.findall(drawn):
        numbers = {int(part) for part in re.split(rb"[;:]", sequence) if part}
        if numbers & {*range(30, 50), *range(90, 98), *range(100, 108)}:
            found.add(sequence)
    return found


def drawn_with(**environment: str) -> bytes:
    terminal = Terminal("--story", "live", module="tests.tui.demo", size=(80, 24), **environment)
    everything = b""
    try:
        assert terminal.seen(b"BTCUSDT", 30)
        for key in KEYS:
            everything += terminal.drawn
            terminal.press(key)
            terminal.seen(b"\x1b", 5)
        everything += terminal.drawn
    finally:
        terminal.close()
    return everything


@pytest.mark.timeout(120)
@pytest.mark.parametrize("colorterm", ["truecolor", ""])
def test_no_colour_is_sent_where_none_is_wished(colorterm: str) -> None:
    drawn = drawn_with(NO_COLOR="1", COLORTERM=colorterm)
    assert SGR.search(drawn), "bold and reverse are no colours"
    assert coloured(drawn) == set()


@pytest.mark.timeout(120)
def test_there_are_colours_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured(drawn_with(COLORTERM="truecolor"))


def test_everything_but_colours_stays() -> None:
    style = Style(color="red", bgcolor="blue", bold=True, reverse=True, dim=True)
    [segment] = Colourless().apply([Segment("x", style)], Color(0, 0, 0))
    assert segment == Segment("x", Style(bold=True, reverse=True, dim=True))
