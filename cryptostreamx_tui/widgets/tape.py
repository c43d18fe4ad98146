"""The tape: trades as they were read back from Kafka, newest on top."""

from typing import ClassVar

from cryptostreamx_tui.details import Detail, side, trade_detail
from cryptostreamx_tui.format import Span, clock, millis
from cryptostreamx_tui.state import State, TapeEntry
from cryptostreamx_tui.widgets.columns import Column, NameColumn, NumberColumn
from cryptostreamx_tui.widgets.rows import Stream
from pipeline.model import TRADE_TOPIC


class Tape(Stream[TapeEntry]):
    """Time, symbol, side, price, quantity, value, latency of each trade."""

    topics: ClassVar[tuple[str, ...]] = ("trades",)

    def __init__(self, state: State) -> None:
        def places(entry: TapeEntry) -> tuple[int, int]:
            summary = state.symbols.get(entry[0].trade.symbol)
            return (summary.price_places, summary.quantity_places) if summary else (8, 8)

        super().__init__(
            lambda: state.trades,
            (
                Column("time UTC", 12, lambda e: Span(clock(e[0].trade.trade_time), "dim"), fixed=True),
                NameColumn("symbol", 8, lambda e: Span(e[0].trade.symbol), fixed=True),
                Column("side", 6, lambda e: Span(*side(e[0].trade.market_maker))),
                NumberColumn("price", lambda e: (e[0].trade.price, places(e)[0]), 7, 2),
                NumberColumn("quantity", lambda e: (e[0].trade.quantity, places(e)[1]), 3, 5),
                NumberColumn("value", lambda e: (e[0].trade.price * e[0].trade.quantity, 2), 9, 2),
                Column("latency", 8, lambda e: Span(millis(latency(e)), "dim"), right=True),
            ),
            empty="no trade has been read yet",
            id="tape",
        )

    def detail(self, item: TapeEntry) -> Detail:
        """Return everything known of a trade."""
        return trade_detail(item, TRADE_TOPIC)


def latency(entry: TapeEntry) -> int | None:
    """Return the time from a trade's arrival here to its being read back, in ms; None where unknown."""
    received = entry[0].trade.received_time
    return max(0, entry[1] - received) if received > 0 else None
