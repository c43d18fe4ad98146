"""The symbols: what is subscribed, its price, its rate, and how old its last trade is."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.format import UNKNOWN, Line, Span, change, duration, per_second, sparkline
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import tone_of
from cryptostreamx_tui.widgets.columns import Column, NameColumn
from cryptostreamx_tui.widgets.rows import Rows

SPARK_WIDTH = 16


class SymbolRows(Rows[str]):
    """One line a symbol, in the order of the digits."""

    topics: ClassVar[tuple[str, ...]] = ("symbols", "stats")
    ages: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(
            (
                Column("on", 2, self._mark, fixed=True),
                NameColumn("symbol", 8, lambda s: Span(s, "" if s in self.state.wanted else "dim"), fixed=True),
                Column("price", 11, self._price, right=True),
                Column("change", 8, self._change, right=True),
                Column("last minute", SPARK_WIDTH, self._spark),
                Column("rate", 7, self._rate, right=True),
                Column("age", 6, self._age, right=True),
                Column("state", 12, lambda s: Span(self.state.subscription(s), "dim")),
            ),
            empty="no symbols",
            id="symbol-rows",
        )

    def total(self) -> int:
        """Return the number of symbols."""
        return len(self.state.known)

    def item(self, index: int) -> str:
        """Return a symbol."""
        return list(self.state.known)[index]

    def _mark(self, symbol: str) -> Span:
        index = list(self.state.known).index(symbol)
        on = symbol in self.state.wanted
        digit = str(index + 1) if index < 9 else " "
        return Span(f"{digit}{'●' if on else '○'}", "good" if self.state.subscription(symbol) == "on" else "dim")

    def _price(self, symbol: str) -> Span:
        state = self.state
        summary = state.symbols.get(symbol)
        stale = state.stale(symbol, self.host.now())
        if stale is not None:
            return Span(f"STALE {duration(stale)}", "warn")
        word = state.subscription(symbol)
        if word != "on" and (symbol not in state.wanted or summary is None):
            return Span(word if word != "subscribing…" else "…", "dim")
        if summary is None or summary.price is None:
            return Span(UNKNOWN, "dim")
        arrow = "" if summary.rising is None else "▲" if summary.rising else "▼"
        return Span(
            f"{summary.price:,.{summary.price_places}f}{arrow or ' '}", {"▲": "good", "▼": "bad"}.get(arrow, "")
        )

    def _change(self, symbol: str) -> Span:
        summary = self.state.symbols.get(symbol)
        value = summary.change if summary else None
        return Span(change(value), tone_of(value))

    def _rate(self, symbol: str) -> Span:
        summary = self.state.symbols.get(symbol)
        return Span(per_second(summary.rate.value(self.host.now()) if summary else None))

    def _age(self, symbol: str) -> Span:
        summary = self.state.symbols.get(symbol)
        return Span(duration(summary.age(self.host.now()) if summary else None), "dim")

    def _spark(self, symbol: str) -> Span:
        summary = self.state.symbols.get(symbol)
        return Span(sparkline(list(summary.history), SPARK_WIDTH) if summary else "", "accent")

    def action_open(self) -> None:
        """Turn the selected symbol on or off: there is nothing more to open."""
        if self.selected is not None:
            self.host.toggle(self.selected)


class SymbolsPane(Pane):
    """The symbols."""

    key: ClassVar[str] = "symbols"

    def content(self) -> ComposeResult:
        """The list."""
        yield SymbolRows()

    def action_toggle_symbol(self) -> None:
        """Turn the selected symbol on or off."""
        symbol = self.query_one(SymbolRows).selected
        if symbol is not None:
            self.host.toggle(symbol)

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many are on."""
        return [Span(f"{len(state.wanted)} of {len(state.known)} on", "dim")]
