"""Columns of a table: what stands in a cell, and how wide it is. Widths only ever grow, so that nothing jumps.

Knows nothing of widgets: a row is laid out here, drawn elsewhere.
"""

import math
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from rich.cells import cell_len

from cryptostreamx_tui.format import UNKNOWN, Line, Span, aligned, fit, safe

T = TypeVar("T")
COPIED = 4000
"""Characters of a cell that are copied at most."""
LARGEST = 1e12
"""A number from here on is shown as 1.23457e+15: no column is made as wide as a hostile price."""


class Column(Generic[T]):
    """Text of a fixed width; ``flexible`` columns share what is left of the line."""

    def __init__(
        self,
        title: str,
        width: int,
        cell: Callable[[T], Span],
        *,
        right: bool = False,
        flexible: bool = False,
        fixed: bool = False,
    ) -> None:
        self.title = title
        self.width = max(width, len(title))
        self.right = right
        self.flexible = flexible
        self.fixed = fixed
        """Stays in sight when the columns are shifted."""
        self._cell = cell

    def span(self, item: T, width: int) -> Span:
        """Return the cell of ``item``, ``width`` cells wide."""
        text, tone, action = self._cell(item)
        return Span(fit(text, width, right=self.right), tone, action)

    def text(self, item: T) -> str:
        """Return what the cell holds, whole, for the clipboard."""
        return safe(self._cell(item).text, COPIED).strip()


class NameColumn(Column[T]):
    """A name, in a column that grows to the longest one seen, within bounds."""

    LONGEST = 14

    def span(self, item: T, width: int) -> Span:
        """Return the cell; a longer name makes the column wider from the next drawing on."""
        text, tone, action = self._cell(item)
        self.width = max(self.width, min(cell_len(safe(text)), self.LONGEST))
        return Span(fit(text, width), tone, action)


class NumberColumn(Column[T]):
    """A number aligned at the decimal point. ``value`` gives it and the decimals to show."""

    def __init__(self, title: str, value: Callable[[T], tuple[float, int]], whole: int, places: int = 0) -> None:
        """``whole`` and ``places``: digits (with commas) before and after the point to make room for at first."""
        super().__init__(title, 0, lambda _: Span(""), right=True)
        self._value = value
        self._whole = whole
        self._places = places
        self._resize()

    def text(self, item: T) -> str:
        """Return the number as it is, without commas."""
        value, places = self._value(item)
        return f"{value:.{places}f}" if abs(value) < LARGEST else repr(value)

    def _resize(self) -> None:
        self.width = max(self._whole + (self._places + 1 if self._places else 0), len(self.title))

    def span(self, item: T, width: int) -> Span:
        """Return the cell; a number that needs more room makes the column wider from the next drawing on."""
        value, places = self._value(item)
        if not math.isfinite(value):
            return Span(fit(UNKNOWN, width, right=True), "dim")
        if abs(value) >= LARGEST:
            return Span(fit(f"{value:.6g}", width, right=True))
        text = aligned(value, places, self._places, width)
        whole = len(text.strip()) - (places + 1 if places else 0)
        if places > self._places or whole > self._whole:
            self._places = max(self._places, places)
            self._whole = max(self._whole, whole)
            self._resize()
        return Span(text[:width] if len(text) <= width else fit(text, width, right=True))


class Layout(Generic[T]):
    """Which columns fit into a width, from which one on."""

    def __init__(self, columns: Sequence[Column[T]], width: int, shift: int = 0) -> None:
        self.width = width
        stay = [column for column in columns if column.fixed]
        move = [column for column in columns if not column.fixed]
        self.shift = max(0, min(shift, len(move) - 1))
        self.columns: list[Column[T]] = []
        self.widths: list[int] = []
        room = width - 1
        shown = 0
        for column in (*stay, *move[self.shift :]):
            wanted = min(column.width, room) if not self.columns else column.width
            if wanted + (1 if self.columns else 0) > room:
                break
            room -= wanted + (1 if self.columns else 0)
            self.columns.append(column)
            self.widths.append(wanted)
            shown += not column.fixed
        self.hidden_left = self.shift > 0
        self.hidden_right = self.shift + shown < len(move)
        flexible = [i for i, column in enumerate(self.columns) if column.flexible]
        for index in flexible:
            self.widths[index] += room // len(flexible)
        self.made_of = tuple(column.width for column in columns)

    def row(self, item: T, mark: str = " ") -> Line:
        """Return the line of ``item``."""
        line = [Span(mark, "accent")]
        for index, column in enumerate(self.columns):
            if index:
                line.append(Span(" "))
            line.append(column.span(item, self.widths[index]))
        return line

    def head(self) -> Line:
        """Return the line of titles, with ‹ and › where columns are out of sight."""
        titles = " ".join(
            fit(column.title, self.widths[index], right=column.right) for index, column in enumerate(self.columns)
        )
        line = [Span("‹" if self.hidden_left else " ", "accent"), Span(titles, "head")]
        if self.hidden_right:
            line.append(Span(" ›", "accent"))
        return line
