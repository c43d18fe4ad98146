"""NO_COLOR: every colour is taken out of what is drawn; bold, dim, underline and reverse stay.

Textual's own answer is shades of grey, which are colours to a terminal and to https://no-color.org.
"""

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter


@lru_cache(1024)
def colourless(style: Style) -> Style:
    """Return a style without its colours."""
    return style.without_color


class Colourless(LineFilter):
    """Takes the colours out of a line."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's
        """Return the segments without colours."""
        return [
            Segment(text, None if style is None else colourless(style), control) for text, style, control in segments
        ]
