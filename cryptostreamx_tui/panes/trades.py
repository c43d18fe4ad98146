"""The live tape."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.export import Export
from cryptostreamx_tui.filters import HINT, FilterError, TradeFilter, parse
from cryptostreamx_tui.format import Line, Span, count, duration
from cryptostreamx_tui.panes.pane import Pane, dim
from cryptostreamx_tui.state import FEED_STALE_MS, State
from cryptostreamx_tui.widgets.tape import Tape, latency

HEADER = (
    "trade_time", "event_time", "symbol", "trade_id", "side", "price", "quantity", "value", "received_time",
    "read_time", "latency_ms", "source", "partition", "offset", "schema_id",
)  # fmt: skip
"""Columns of an export; times in ms since the epoch."""


class TradesPane(Pane):
    """Trades, newest on top."""

    key: ClassVar[str] = "trades"
    filter_hint: ClassVar[str] = HINT
    _only: TradeFilter | None = None

    def content(self) -> ComposeResult:
        """The tape alone."""
        yield Tape(self.app.state)  # type: ignore[attr-defined]

    @property
    def tape(self) -> Tape:
        """The tape."""
        return self.query_one(Tape)

    def apply_filter(self, text: str) -> str | None:
        """Show only trades that match; what cannot be understood changes nothing."""
        try:
            only = parse(text)
        except FilterError as error:
            return str(error)
        if only != self._only:
            self._only = self.tape.only = only
            self.tape.empty = "no trade has been read yet" if only is None else f"no trade matches {only.words}"
        return None

    def facts(self, state: State, now: int) -> Line:
        """How many were read, or match; how old the newest is."""
        held, only = self.held(), self._only
        age = state.feed_age(now)
        line: Line = []
        if only is not None:
            of_all = "" if held else f": {count(self.tape.total())} of the last {count(len(state.trades))}"
            line.append(Span(f"{only.words}{of_all} ", "warn"))
        elif not held and state.trades.end:
            line.append(Span(f"{count(state.trades.end)} read", "dim"))
        if age is not None and age > FEED_STALE_MS:
            return [*held, Span(f" STALE {duration(age)} ", "warn"), *(line if only else [])]
        return [*held, Span(" "), *line] if held else line

    def fade(self, state: State, now: int) -> None:
        """Dim the tape when nothing new came for long; look at what arrives for the filter, seen or not."""
        age = state.feed_age(now)
        for tape in self.walk_children(Tape):
            dim(tape, age is not None and age > FEED_STALE_MS)
            tape.source()

    def export(self) -> Export | None:
        """Return the trades that are shown, newest first: those that match, or that were held."""
        tape = self.tape
        rows = []
        for index in range(tape.total()):
            entry = tape.item(index)
            read, read_time = entry
            trade = read.trade
            rows.append(
                (
                    trade.trade_time,
                    trade.event_time,
                    trade.symbol,
                    trade.trade_id,
                    "sell" if trade.market_maker else "buy",
                    trade.price,
                    trade.quantity,
                    trade.price * trade.quantity,
                    trade.received_time,
                    read_time,
                    latency(entry),
                    str(trade.source),
                    read.partition,
                    read.offset,
                    read.schema_id,
                )
            )
        return Export("trades", HEADER, rows) if rows else None
