"""Closed windows as a table, and the unfinished ones as rows apart, in the same columns."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from textual.events import Resize

from cryptostreamx_tui.details import Detail
from cryptostreamx_tui.format import Line, Span, decimals, fit, hm, hms
from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.running import Unfinished
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.columns import Column, Layout, NameColumn, NumberColumn
from cryptostreamx_tui.widgets.rows import Stream
from cryptostreamx_tui.widgets.view import Lines
from cryptostreamx_tui.window_words import closed_detail, signs
from cryptostreamx_tui.windows import ClosedWindow
from pipeline.model import WINDOW_MS, Window

NARROW = 76
"""Below this width the close stands first: the other prices are out of sight."""
FIRST = 10
"""Width of the first column."""


def figures(state: State, *, narrow: bool) -> list[Column[Any]]:
    """Return the columns that closed and unfinished windows share; one set, so that both are as wide."""

    def price(value: float, window: Window) -> tuple[float, int]:
        summary = state.symbols.get(window.symbol)
        if summary is not None:
            return value, summary.price_places
        return value, max(2, *(decimals(p) for p in (window.open_price, window.min_price, window.max_price)))

    def quantity(window: Window) -> tuple[float, int]:
        # The detail has all decimals; here a sum of many trades needs no more than three.
        return window.total_quantity, min(3, decimals(window.total_quantity)) if window.total_quantity < 1000 else 0

    count: list[Column[Any]] = [
        NumberColumn("trades", lambda row: (row.window.trade_count, 0), 6),
        NumberColumn("quantity", lambda row: quantity(row.window), 5, 3),
    ]
    close: Column[Any] = NumberColumn("close", lambda row: price(row.window.close_price, row.window), 6, 2)
    others: list[Column[Any]] = [
        NumberColumn("open", lambda row: price(row.window.open_price, row.window), 6, 2),
        NumberColumn("high", lambda row: price(row.window.max_price, row.window), 6, 2),
        NumberColumn("low", lambda row: price(row.window.min_price, row.window), 6, 2),
    ]
    means: list[Column[Any]] = [
        NumberColumn("vwap", lambda row: price(row.window.vwap, row.window), 6, 2),
        NumberColumn("avg", lambda row: price(row.window.avg_price, row.window), 6, 2),
    ]
    if narrow:
        return [close, *count, *others, *means]
    return [*count, *others, close, *means]


class WindowTable(Stream[ClosedWindow]):
    """Closed windows of one size, of one symbol or of all, newest on top."""

    topics: ClassVar[tuple[str, ...]] = ("windows",)

    def __init__(self, state: State, size: str, shared: dict[bool, list[Column[Any]]]) -> None:
        self.window_size = size
        self.symbol: str | None = None
        self._seen = (state.windows, -1)
        self._shared = shared
        self._state = state
        self._own = (
            Column[ClosedWindow](f"{size} closed", FIRST, self._time, fixed=True),
            NameColumn[ClosedWindow]("symbol", 8, lambda row: Span(row.window.symbol), fixed=True),
            Column[ClosedWindow]("", 2, lambda row: Span(*signs(row)), fixed=True),
        )
        self._flags = Column[ClosedWindow](
            "flags", 18, lambda row: Span(", ".join(row.flags), signs(row)[1]), flexible=True
        )
        super().__init__(self._of_state, (*self._own, *shared[False], self._flags), id=f"windows-{size}")
        self.empty = "no window has closed yet"

    def on_resize(self, event: Resize) -> None:
        """Order the columns for the new width."""
        self.columns = (*self._own, *self._shared[event.size.width < NARROW], self._flags)
        super().on_resize(event)

    def show(self, symbol: str | None) -> None:
        """Show the windows of one symbol, or of all."""
        self.symbol = symbol
        self.only = self.only  # another list: nothing of the old one is kept
        self.empty = "no window has closed yet" if symbol is None else f"no window of {symbol} has closed yet"

    def source(self) -> Ring[ClosedWindow]:
        """Return what is shown; where a row has changed, none that was drawn or matched before is used again."""
        seen = (self._state.windows, self._state.windows.version)
        if seen != self._seen:
            self._seen = seen
            self._matching = None
            if not self.held:
                self._strips.clear()
        return super().source()

    def _of_state(self) -> Ring[ClosedWindow]:
        return self._state.windows.ring(self.window_size, self.symbol)

    def _time(self, row: ClosedWindow) -> Span:
        """The start, with the day where it is not that of the newest window."""
        start = row.window.window_start
        ring = self._of_state()
        if len(ring) and ring.newest(0).window.window_start // 86_400_000 == start // 86_400_000:
            return Span(hm(start), "dim")
        return Span(f"{datetime.fromtimestamp(start / 1000, UTC):%d.} {hm(start)}", "dim")

    def detail(self, item: ClosedWindow) -> Detail:
        """Return everything known of a window."""
        return closed_detail(item)


class UnfinishedRows(Lines):
    """The windows that still take trades, apart from the closed ones, and called what they are."""

    topics: ClassVar[tuple[str, ...]] = ("trades", "windows")
    ages: ClassVar[bool] = True

    def __init__(
        self, state: State, shared: dict[bool, list[Column[Any]]], symbols: Callable[[], Sequence[str]]
    ) -> None:
        super().__init__(id="unfinished")
        self._symbols = symbols
        self._shared = shared
        self._state = state
        self._own = (
            Column[Unfinished]("unfinished", FIRST, self._place, fixed=True),
            NameColumn[Unfinished]("symbol", 8, lambda row: Span(row.window.symbol), fixed=True),
            Column[Unfinished]("", 2, lambda row: Span("◐" if row.since is not None else "…", "warn"), fixed=True),
        )
        self._left = Column[Unfinished]("flags", 18, self._words, flexible=True)

    def _place(self, row: Unfinished) -> Span:
        return Span(f"{row.window.size} {hm(row.window.window_start)}", "accent")

    def _words(self, row: Unfinished) -> Span:
        left = max(0, row.window.window_end - self._state.windows.running.time) // 1000
        words = "closing" if row.closing else f"{left} s left"
        return Span(words if row.since is None else f"since {hms(row.since)}, {words}", "accent")

    def places(self) -> list[tuple[str, str, int]]:
        """Return symbol, size and start of the unfinished windows, by size and symbol."""
        windows = self._state.windows
        return [
            (symbol, size, start)
            for size in WINDOW_MS
            for symbol in self._symbols()
            for start in windows.unfinished(size, symbol)
        ]

    def lines(self, width: int, height: int) -> list[Line]:
        """Make the header and the rows; what does not fit is counted."""
        places = self.places()
        if not places:
            return [[Span(fit(" unfinished: no trade of a window that is open has been read", width), "dim")]]
        columns = (*self._own, *self._shared[width < NARROW], self._left)
        room = max(1, height - 1)
        shown = places if len(places) <= room else places[: max(1, room - 1)]
        unfinished = self._state.windows.running.unfinished
        body = [Layout(columns, width).row(unfinished(*place)) for place in shown]
        head = Layout(columns, width).head()
        if len(shown) < len(places) and room > len(shown):
            body.append([Span(f"  and {len(places) - len(shown)} more: n shows one symbol", "dim")])
        return [head, *body]
