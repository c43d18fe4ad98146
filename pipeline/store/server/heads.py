"""Formats whose head the engine writes again with each block of a streamed result: it is sent once. Pure."""

import re

_TEXT_LINE = rb"[^\n]*\n"
_CSV_LINE = rb'(?:[^"\n]|"(?:[^"]|"")*")*\n'

HEADED = {
    "TabSeparatedWithNames": re.compile(_TEXT_LINE),
    "TSVWithNames": re.compile(_TEXT_LINE),
    "TabSeparatedWithNamesAndTypes": re.compile(_TEXT_LINE * 2),
    "TSVWithNamesAndTypes": re.compile(_TEXT_LINE * 2),
    "CSVWithNames": re.compile(_CSV_LINE),
    "CSVWithNamesAndTypes": re.compile(_CSV_LINE * 2),
}
"""Format → what its head looks like."""


class HeadOnce:
    """Takes the blocks in their order; the head stays with the first one only."""

    def __init__(self, name: str) -> None:
        """``name`` is any format's name; the blocks of those without a head stay as they are."""
        self._pattern = HEADED.get(name)
        self._head: bytes | None = None

    def __call__(self, block: bytes) -> bytes:
        """Return the block as it is to be sent."""
        if self._pattern is None:
            return block
        if self._head is None:
            found = self._pattern.match(block)
            self._head = found.group() if found else b""
            return block
        return block.removeprefix(self._head)
