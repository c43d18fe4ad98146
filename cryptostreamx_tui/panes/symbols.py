"""The symbols: what is subscribed, its price and how that moved, its rate, and how old its last trade is."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import Line, Span
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.screens.add_symbol import add_symbol
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.symbol_rows import SymbolRows

HEADER = ("symbol", "on", "state", "price", "change_1m", "change_5m", "change_24h", "trades_per_second", "age_ms")
"""Columns of an export; changes as fractions."""


class SymbolsPane(Pane):
    """The symbols."""

    key: ClassVar[str] = "symbols"

    def content(self) -> ComposeResult:
        """The list."""
        yield SymbolRows()

    @property
    def list(self) -> SymbolRows:
        """The list."""
        return self.query_one(SymbolRows)

    def action_toggle_symbol(self) -> None:
        """Turn the selected symbol on or off."""
        symbol = self.list.selected
        if symbol is not None:
            self.host.commands.toggle(symbol)

    def action_add(self) -> None:
        """Ask for a symbol, and stream it."""

        def added(symbol: str) -> None:
            state = self.host.state
            known = tuple(dict.fromkeys((*state.known, symbol)))
            wanted = tuple(s for s in known if s in state.wanted or s == symbol)
            self.host.commands.choose_symbols(known, wanted)
            self.host.say(f"{symbol} added")
            self.list.select(known.index(symbol))

        add_symbol(self.host, added)

    def action_remove(self) -> None:
        """Take the selected symbol away; one that is on is turned off by it."""
        state, symbol = self.host.state, self.list.selected
        if symbol is None:
            return
        wanted = tuple(s for s in state.wanted if s != symbol)
        if not wanted:
            self.host.say("the last symbol that is on stays: a feed needs one", "warn")
            return
        at, on = list(state.known).index(symbol), symbol in state.wanted
        self.host.commands.choose_symbols(tuple(s for s in state.known if s != symbol), wanted)
        self.host.say(f"{symbol} turned off and removed" if on else f"{symbol} removed")
        self.list.select(at)

    def action_move(self, by: int) -> None:
        """Move the selected symbol; the digits follow."""
        state, symbol = self.host.state, self.list.selected
        if symbol is None:
            return
        known = [s for s in state.known if s != symbol]
        at = max(0, min(list(state.known).index(symbol) + by, len(known)))
        known.insert(at, symbol)
        self.host.commands.choose_symbols(tuple(known), tuple(s for s in known if s in state.wanted))
        self.list.select(at)

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many are on."""
        return [Span(f"{len(state.wanted)} of {len(state.known)} on", "dim")]

    def export(self) -> Export | None:
        """Return every symbol with what is known of it."""
        state, now = self.host.state, self.host.now()
        rows = []
        for symbol in state.known:
            summary = state.symbols.get(symbol)
            rows.append(
                (
                    symbol,
                    symbol in state.wanted,
                    state.subscription(symbol),
                    summary.price if summary else None,
                    summary.change(now, 60) if summary else None,
                    summary.change(now, 300) if summary else None,
                    state.day_change(symbol, now),
                    summary.rate.value(now) if summary else None,
                    summary.age(now) if summary else None,
                )
            )
        return Export("symbols", HEADER, rows) if rows else None
