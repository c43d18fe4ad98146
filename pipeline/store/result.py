"""The result of a query as it is kept: ClickHouse's own text of it, and where each row ends.

A row becomes Python values only when it is looked at, so that a hundred thousand rows cost what their text costs and
eight bytes each. Pure: no I/O.
"""

import re
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0"}
"""As ClickHouse's TabSeparated has it; any other character stands for itself."""
_NUMBER = re.compile(r"(Nullable\()?(LowCardinality\()?(Nullable\()?(U?Int\d+|B?Float\d+|Decimal)")

Row = tuple[str | None, ...]
"""A value a column, as ClickHouse writes it; None for NULL."""


class ResultColumn(NamedTuple):
    """A column's name and ClickHouse's type; both are outside text."""

    name: str
    type: str

    @property
    def number(self) -> bool:
        """Whether its values are numbers."""
        return _NUMBER.match(self.type) is not None


def unescape(cell: bytes) -> str | None:
    r"""Return a TabSeparated cell's value; ``\N`` is NULL. Bytes that are no UTF-8 show as ``\xNN``."""
    if b"\\" in cell:
        if cell == rb"\N":
            return None
        cell = _ESCAPE.sub(lambda found: _ESCAPED.get(found.group(1), found.group(1)), cell)
    return cell.decode("utf-8", "backslashreplace")


@dataclass(slots=True)
class Table:
    """Rows as they come in; at most ``limit`` of them are kept.

    With ``heads`` the text is TabSeparatedWithNamesAndTypes; without, it is in a format that the query asked for, and
    each line is shown as it is.
    """

    limit: int
    heads: bool = True
    title: str = ""
    """Without heads: what the only column is called."""
    columns: tuple[ResultColumn, ...] = ()
    more: bool = False
    """There were rows beyond the limit."""
    _text: bytearray = field(default_factory=bytearray)
    _ends: "array[int]" = field(default_factory=lambda: array("Q"))
    _seen: int = 0
    """Up to where the text was searched for line ends."""
    _first: int = 0
    """Where the first row begins."""

    def feed(self, text: bytes) -> bool:
        """Take the next bytes; return whether more is wanted."""
        self._text += text
        if not self._head():
            return True
        at = self._text.find(b"\n", self._seen)
        while at >= 0:
            if len(self._ends) == self.limit:
                self.more = True
                return False
            self._ends.append(at)
            at = self._text.find(b"\n", at + 1)
        self._seen = len(self._text)
        return True

    def close(self) -> None:
        """Say that all of it is there: a last line need not end with a line break; what lies beyond the limit goes."""
        if not self._head():
            return
        last = self._ends[-1] + 1 if self._ends else self._first
        if len(self._text) > last and not self.more:
            if len(self._ends) < self.limit:
                self._ends.append(len(self._text))
                return
            self.more = True
        del self._text[last:]

    def _head(self) -> bool:
        """Read the two lines of names and types; return whether they are known."""
        if self.columns:
            return True
        if not self.heads:
            self.columns = (ResultColumn(self.title, ""),)
            return True
        names = self._text.find(b"\n")
        types = self._text.find(b"\n", names + 1) if names >= 0 else -1
        if types < 0:
            return False
        cells = (bytes(self._text[:names]).split(b"\t"), bytes(self._text[names + 1 : types]).split(b"\t"))
        self.columns = tuple(
            ResultColumn(unescape(name) or "", unescape(kind) or "") for name, kind in zip(*cells, strict=True)
        )
        self._first = self._seen = types + 1
        return True

    @property
    def size(self) -> int:
        """Bytes of text that are kept."""
        return len(self._text)

    def __len__(self) -> int:
        return len(self._ends)

    def row(self, index: int) -> Row:
        """Return a row, as many values as there are columns (a line that has fewer, as in WITH TOTALS, is filled up).

        Raises:
            IndexError: there is no such row.
        """
        if not 0 <= index < len(self._ends):
            raise IndexError(index)
        start = self._ends[index - 1] + 1 if index else self._first
        line = bytes(self._text[start : self._ends[index]])
        if not self.heads:
            return (line.decode("utf-8", "backslashreplace"),)
        cells = [unescape(cell) for cell in line.split(b"\t")]
        width = len(self.columns)
        return tuple(cells[:width]) if len(cells) >= width else (*cells, *("",) * (width - len(cells)))
