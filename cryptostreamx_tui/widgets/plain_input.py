"""A line of input in which nothing stands that a terminal would act on: a paste may hold anything."""

from typing import Any

from textual.widgets import Input

from pipeline.text import clean

LONGEST = 1_000
"""Characters; far more than any name, filter or offset has."""


class PlainInput(Input):
    """Textual's input, of printable characters alone."""

    def __init__(self, value: str = "", **options: Any) -> None:
        super().__init__(value, compact=True, select_on_focus=False, max_length=LONGEST, **options)
        self.cursor_blink = False  # a blinking cursor would draw the screen twice a second for nothing

    def validate_value(self, value: str) -> str:
        r"""Show what is not printable as ``\xNN``, however it came here."""
        return value if value.isprintable() else clean(value[:LONGEST], LONGEST)
