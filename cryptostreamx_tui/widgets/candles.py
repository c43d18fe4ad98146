"""Candles with volume of one symbol; drawn again when a window has closed, and once a second for the unfinished one."""

from collections.abc import Callable
from typing import ClassVar

from cryptostreamx_tui.chart import LEAST_HEIGHT, Candle, chart
from cryptostreamx_tui.format import Line, Span, decimals, fit, hm
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.view import Lines
from pipeline.model import WINDOW_MS, Window


class Candles(Lines, can_focus=True):
    """One symbol's windows of one size as candles. It takes the focus, so that the pane's keys work without a table."""

    topics: ClassVar[tuple[str, ...]] = ("windows",)
    ages: ClassVar[bool] = True

    def __init__(self, size: str, symbol: Callable[[], str | None]) -> None:
        super().__init__(id=f"candles-{size}")
        self.window_size = size
        self._symbol = symbol

    def lines(self, width: int, height: int) -> list[Line]:
        """Make the headline and the chart."""
        symbol = self._symbol()
        if symbol is None:
            return [[Span(" no symbol to draw", "dim")]]
        candles = self.candles(symbol)
        if not candles:
            return [[Span(f" {self.window_size} {fit(symbol, 14)} ", "head"), Span("no window yet", "dim")]]
        newest = candles[-1]
        summary = self.state.symbols.get(symbol)
        places = summary.price_places if summary else max(2, decimals(newest.close))
        if height < LEAST_HEIGHT or width < 24:
            return [[Span(" too small for candles: m gives the pane the whole screen", "dim")]]
        values = zip("OHLC", (newest.open, newest.high, newest.low, newest.close), strict=True)
        head = [
            Span(f" {self.window_size} {fit(symbol, min(14, len(symbol)))} ", "head"),
            Span(f"{hm(newest.start)} ", "dim"),
            Span("unfinished " if newest.unfinished else "closed ", "accent" if newest.unfinished else "dim"),
            Span(" ".join(f"{name} {value:,.{places}f}" for name, value in values)),
        ]
        return [head, *chart(candles, WINDOW_MS[self.window_size], width, height - 1, places)]

    def candles(self, symbol: str) -> list[Candle]:
        """Return closed and unfinished windows, oldest first."""
        windows = self.state.windows
        ring = windows.ring(self.window_size, symbol)
        wanted = self.size.width // 2 + 1
        closed = [_candle(row.window) for row in ring.last(wanted)]
        unfinished = [
            _candle(windows.running.unfinished(symbol, self.window_size, start).window, unfinished=True)
            for start in reversed(windows.unfinished(self.window_size, symbol))
        ]
        return [*closed, *unfinished]


def drawable(state: State, symbol: str | None) -> str | None:
    """Return the symbol to draw: the chosen one, or else the first one that is streamed."""
    if symbol is not None:
        return symbol
    return next((name for name in state.known if name in state.wanted), next(iter(state.windows.symbols), None))


def _candle(window: Window, *, unfinished: bool = False) -> Candle:
    return Candle(
        window.window_start,
        window.open_price,
        window.max_price,
        window.min_price,
        window.close_price,
        window.total_quantity,
        unfinished,
    )
