"""The closed windows, a table for each size."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from cryptostreamx_tui.details import Detail, window_detail
from cryptostreamx_tui.format import Line, Span, decimals, duration, hm
from cryptostreamx_tui.panes.pane import Pane, dim
from cryptostreamx_tui.state import STATS_STALE_MS, State
from cryptostreamx_tui.widgets.columns import Column, NameColumn, NumberColumn
from cryptostreamx_tui.widgets.rows import Stream
from pipeline.model import WINDOW_MS, Window


class WindowTable(Stream[Window]):
    """Closed windows of one size, newest on top."""

    topics: ClassVar[tuple[str, ...]] = ("windows",)

    def __init__(self, state: State, name: str) -> None:
        def price(value: float, window: Window) -> tuple[float, int]:
            summary = state.symbols.get(window.symbol)
            if summary is not None:
                return value, summary.price_places
            return value, max(2, *(decimals(p) for p in (window.open_price, window.min_price, window.max_price)))

        def quantity(window: Window) -> tuple[float, int]:
            # The detail has all decimals; here a sum of many trades needs no more than three.
            return window.total_quantity, min(3, decimals(window.total_quantity)) if window.total_quantity < 1000 else 0

        super().__init__(
            lambda: state.windows[name],
            (
                Column(name, 5, lambda w: Span(hm(w.window_start), "dim"), fixed=True),
                NameColumn("symbol", 8, lambda w: Span(w.symbol), fixed=True),
                NumberColumn("trades", lambda w: (w.trade_count, 0), 6),
                NumberColumn("quantity", quantity, 5, 3),
                NumberColumn("close", lambda w: price(w.close_price, w), 6, 2),
                NumberColumn("min", lambda w: price(w.min_price, w), 6, 2),
                NumberColumn("max", lambda w: price(w.max_price, w), 6, 2),
                NumberColumn("open", lambda w: price(w.open_price, w), 6, 2),
                NumberColumn("vwap", lambda w: price(w.vwap, w), 6, 2),
                NumberColumn("avg", lambda w: price(w.avg_price, w), 6, 2),
            ),
            empty="no window has closed yet",
            id=f"windows-{name}",
        )

    def detail(self, item: Window) -> Detail:
        """Return everything known of a window."""
        return window_detail(item)


class WindowsPane(Pane):
    """Both sizes of closed windows."""

    key: ClassVar[str] = "windows"

    def content(self) -> ComposeResult:
        """A table for each size."""
        with Container(id="window-tables"):
            for name in WINDOW_MS:
                yield WindowTable(self.app.state, name)  # type: ignore[attr-defined]

    def facts(self, state: State, now: int) -> Line:
        """Whether the windows process still reports."""
        age = state.stats_age("windows", now)
        if age is not None and age > STATS_STALE_MS:
            return [*self.held(), Span(f" STALE {duration(age)}", "warn")]
        return self.held()

    def fade(self, state: State, now: int) -> None:
        """Dim the tables when the windows process went silent."""
        age = state.stats_age("windows", now)
        for table in self.query(WindowTable):
            dim(table, age is not None and age > STATS_STALE_MS)
