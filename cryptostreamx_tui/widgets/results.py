"""The result of a query as a table: a hundred thousand rows, of which only those in sight are ever made."""

from cryptostreamx_tui.details import VALUE_LIMIT, Detail, Section
from cryptostreamx_tui.format import Span, fit, safe
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.rows import Rows
from pipeline.store.result import ResultColumn, Row, Table
from pipeline.text import clean

NULL = "NULL"
LONGEST_TITLE = 30
LONGEST = 40
"""Cells a column takes at most; the whole value is in the row's page."""
MEASURED = 50
"""Rows from which the columns' first widths are taken; those in sight later make them wider."""
SHOWN = 400
"""Characters of a value that are looked at for a cell."""


class ValueColumn(Column[Row]):
    """One column of a result; it grows to the longest value seen, within bounds."""

    def __init__(self, index: int, column: ResultColumn) -> None:
        super().__init__(safe(column.name, LONGEST_TITLE), 1, lambda _: Span(""), right=column.number)
        self.index = index
        self.width = min(self.width, LONGEST)

    def text(self, item: Row) -> str:
        """Return the value, whole, for the clipboard."""
        value = item[self.index]
        return NULL if value is None else safe(value, 4000)

    def measure(self, item: Row) -> None:
        """Make room for a value."""
        value = item[self.index]
        self.width = max(self.width, min(LONGEST, len(NULL if value is None else value)))

    def span(self, item: Row, width: int) -> Span:
        """Return the cell; a longer value makes the column wider from the next drawing on."""
        value = item[self.index]
        if value is None:
            return Span(fit(NULL, width, right=self.right), "dim")
        self.width = max(self.width, min(LONGEST, len(value)))
        text = value[:SHOWN].replace("\n", "⏎")
        if len(value) > SHOWN:
            text += "…"
        return Span(fit(text, width, right=self.right))


class FigureColumn(ValueColumn):
    """Numbers, as ClickHouse writes them, aligned at the decimal point."""

    def __init__(self, index: int, column: ResultColumn) -> None:
        super().__init__(index, column)
        self._before = self._after = 0
        """Characters before the point, and from it on."""

    def measure(self, item: Row) -> None:
        """Make room for a number on both sides of the point."""
        value = item[self.index]
        if value is None:
            self.width = max(self.width, len(NULL))
            return
        point = value.find(".")
        before = len(value) if point < 0 else point
        self._before = max(self._before, before)
        self._after = max(self._after, len(value) - before)
        self.width = max(self.width, min(LONGEST, self._before + self._after))

    def span(self, item: Row, width: int) -> Span:
        """Return the cell."""
        value = item[self.index]
        if value is None:
            return Span(fit(NULL, width, right=True), "dim")
        self.measure(item)
        point = value.find(".")
        after = 0 if point < 0 else len(value) - point
        return Span(fit(value + " " * (self._after - after), width, right=True))


class ResultRows(Rows[Row]):
    """The rows of a result; the cursor goes through all of them, columns shift."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__((), empty="", id=id)
        self.table_of: Table | None = None
        """What is shown."""

    def show(self, table: Table | None) -> None:
        """Show another result, from its beginning."""
        self.table_of = table
        made = [
            FigureColumn(index, column) if column.number else ValueColumn(index, column)
            for index, column in enumerate(table.columns if table else ())
        ]
        for index in range(min(MEASURED, self.total())):
            row = self.item(index)
            for column in made:
                column.measure(row)
        self.columns = made
        self.cursor, self.top, self.shift = (0 if self.total() else None), 0, 0
        self._columns_fit = None
        self.empty = "no rows" if table else ""
        self.refresh()

    def total(self) -> int:
        """Return the number of rows that are kept."""
        return len(self.table_of) if self.table_of is not None else 0

    def item(self, index: int) -> Row:
        """Return a row."""
        assert self.table_of is not None
        return self.table_of.row(index)

    @property
    def position(self) -> str:
        """``row 1,234 of 100,000``; empty without a cursor."""
        return "" if self.cursor is None else f"row {self.cursor + 1:,} of {self.total():,}"

    def detail(self, item: Row) -> Detail:
        """Return the record, whole: a value a line, with its type."""
        assert self.table_of is not None
        columns = self.table_of.columns
        fields = tuple(
            (safe(column.name, LONGEST_TITLE), NULL if value is None else clean(value, VALUE_LIMIT, multiline=True))
            for column, value in zip(columns, item, strict=True)
        )
        types = tuple((safe(column.name, LONGEST_TITLE), safe(column.type, 200) or "text") for column in columns)
        return Detail(f"Result · {self.position}", (Section("Values", fields), Section("Types", types)))
