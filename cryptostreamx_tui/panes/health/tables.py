"""ClickHouse's tables: rows, parts, size, and how far the newest row is behind."""

from typing import Any, ClassVar

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.format import UNKNOWN, Line, Span, count, date_time, duration, millis, safe, size
from cryptostreamx_tui.panes.health.view import Listing
from cryptostreamx_tui.widgets.columns import Column
from pipeline.inventory import TableView

MANY_PARTS = 300
"""Active parts of a table from which on ClickHouse begins to have trouble with inserts."""


class TableRows(Listing[TableView]):
    """One line a table."""

    key: ClassVar[str] = "tables"
    heading: ClassVar[str] = "ClickHouse"
    topics: ClassVar[tuple[str, ...]] = ("inventory",)
    fields: ClassVar[tuple[str, ...]] = (
        "table", "engine", "rows", "parts", "bytes", "insert_lag_ms", "newest_row", "last_part_written",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(
            (
                Column("table", 22, lambda t: Span(t.name), fixed=True, flexible=True),
                Column("rows", 12, lambda t: Span(count(t.rows)), right=True),
                Column("parts", 5, self._parts, right=True),
                Column("size", 7, lambda t: Span(size(t.bytes)), right=True),
                Column("insert lag", 10, self._lag, right=True),
                Column("last part", 11, self._modified, right=True),
                Column("newest row", 27, lambda t: Span(date_time(t.newest), "dim")),
                Column("engine", 20, lambda t: Span(t.engine, "dim"), flexible=True),
            ),
            empty="no table is known yet",
        )

    def _parts(self, table: TableView) -> Span:
        return Span(count(table.parts), "warn" if (table.parts or 0) >= MANY_PARTS else "")

    def _lag(self, table: TableView) -> Span:
        # At the time of the look: what was inserted since then is not known here.
        return Span(millis(self.lag(table)))

    def _modified(self, table: TableView) -> Span:
        ago = None if table.modified is None else max(0, self.host.now() - table.modified)
        return Span(UNKNOWN if ago is None else f"{duration(ago)} ago", "dim")

    def lag(self, table: TableView) -> int | None:
        """Return a table's insert lag, as it was when it was looked at."""
        at = self.state.inventory.store.at
        return None if at is None else table.lag(at)

    def everything(self) -> tuple[TableView, ...]:
        """Return the tables by name."""
        seen = self.state.inventory.store.seen
        return () if seen is None else seen.tables

    def label(self, item: TableView) -> str:
        """Return the table's name."""
        return item.name

    def service_of(self, item: TableView) -> str:  # noqa: ARG002 - one server has them all
        """Return ClickHouse's service."""
        return "clickhouse"

    def values(self, item: TableView) -> tuple[Any, ...]:
        """Return the exported values."""
        lag = self.lag(item)
        return (item.name, item.engine, item.rows, item.parts, item.bytes, lag, item.newest, item.modified)

    def seen_age(self, now: int) -> int | None:
        """Return the age of the last good look."""
        return self.state.inventory.store.age(now)

    def stale(self, now: int) -> bool:
        """Tell whether that is too old."""
        return self.state.inventory.store.stale(now)

    def trouble(self) -> str | None:
        """Return why ClickHouse could not be asked."""
        return self.state.inventory.store.error

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """Its version, and how much it holds."""
        seen = self.state.inventory.store.seen
        if seen is None:
            return []
        known = [table.bytes for table in seen.tables if table.bytes is not None]
        return [Span(f"{safe(seen.version, 30)} · {size(sum(known) if known else None)}", "dim")]

    def detail(self, item: TableView) -> Detail:
        """Return everything known of a table."""
        newest = "newest received_time" if item.received else "newest window_end"
        return Detail(
            f"Table crypto.{safe(item.name, 60)}",
            (
                Section(
                    "Table",
                    (
                        ("engine", safe(item.engine)),
                        ("rows", f"{count(item.rows)} in active parts; a repeated row counts until parts merge"),
                        ("active parts", count(item.parts)),
                        ("size on disk", size(item.bytes)),
                        ("last part written", f"{date_time(item.modified)}, by an insert or a merge"),
                        (newest, date_time(item.newest)),
                        ("insert lag", f"{millis(self.lag(item))} when it was looked at"),
                        ("looked at", date_time(self.state.inventory.store.at)),
                    ),
                ),
            ),
        )
