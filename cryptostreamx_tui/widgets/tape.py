"""The tape: trades as they were read back from Kafka, newest on top."""

from collections.abc import Callable
from typing import ClassVar

from cryptostreamx_tui.details import side
from cryptostreamx_tui.format import Span, clock, millis
from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.screens.trade import TradeScreen
from cryptostreamx_tui.state import State, TapeEntry
from cryptostreamx_tui.ticks import place, previous_price
from cryptostreamx_tui.widgets.columns import Column, NameColumn, NumberColumn
from cryptostreamx_tui.widgets.rows import Stream

TICKS = {True: ("▲", "good"), False: ("▼", "bad"), None: (" ", "")}
"""Whether the price rose → sign and tone."""
TICKS_KEPT = 2_048


class TickColumn(NumberColumn[TapeEntry]):
    """A price with the sign and the colour of its last move."""

    def __init__(
        self, title: str, value: Callable[[TapeEntry], tuple[float, int]], rising: Callable[[TapeEntry], bool | None]
    ) -> None:
        self._rising = rising
        super().__init__(title, value, 7, 2)

    def _resize(self) -> None:
        super()._resize()
        self.width += 1

    def span(self, item: TapeEntry, width: int) -> Span:
        """Return the number and, behind it, the sign."""
        sign, tone = TICKS[self._rising(item)]
        text, plain_tone, action = super().span(item, width - 1)
        return Span(text + sign, tone or plain_tone, action)


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
                TickColumn("price ", lambda e: (e[0].trade.price, places(e)[0]), self.rising),
                NumberColumn("quantity", lambda e: (e[0].trade.quantity, places(e)[1]), 3, 5),
                NumberColumn("value", lambda e: (e[0].trade.price * e[0].trade.quantity, 2), 9, 2),
                Column("latency", 8, lambda e: Span(millis(latency(e)), "dim"), right=True),
            ),
            empty="no trade has been read yet",
            id="tape",
        )
        self._ticks: dict[tuple[int, int], bool | None] = {}
        """(partition, offset) → whether the price rose, of rows that were drawn: it stays when the ring moves on."""
        self._overrun = 0
        self._all_end = 0
        """Trades ever read when the view was held."""

    # ------------------------------------------------------------ the price's move

    def rising(self, entry: TapeEntry) -> bool | None:
        """Tell whether a trade's price is above its symbol's previous one; None: the same, or unknown."""
        key = (entry[0].partition, entry[0].offset)
        if key not in self._ticks:
            if len(self._ticks) >= TICKS_KEPT:
                self._ticks.clear()
            self._ticks[key] = self._look(entry)
        return self._ticks[key]

    def _look(self, entry: TapeEntry) -> bool | None:
        tape = self._held if self._held is not None and self.only is None else self._ring()
        at = place(tape, entry)
        before = None if at is None else previous_price(tape, at)
        price = entry[0].trade.price
        return None if before is None or price == before else price > before

    # ------------------------------------------------------------ filter and freezing

    def source(self) -> Ring[TapeEntry]:
        """Return the ring that is shown; note what went by unseen while nobody looked."""
        ring = self._ring()
        ring_id, seen = self._matched
        if self._matching is not None and ring_id == id(ring):
            self._overrun += max(0, ring.end - seen - len(ring))
        return super().source()

    def hold(self) -> None:
        """Let the view stand still, and count from here."""
        if not self.held:
            super().hold()
            self._all_end = self._ring().end
            self._overrun = 0

    @property
    def note(self) -> str:
        """``❄ +1,234``; with a filter ``❄ +12 of 1,234``, ``❄ ≥12`` where not every trade could be looked at."""
        if not self.held or self.only is None:
            return super().note
        missed = self.missed
        return f"❄ {'≥' if self._overrun else '+'}{missed:,} of {max(0, self._ring().end - self._all_end):,}"

    # ------------------------------------------------------------ opening

    def action_open(self) -> None:
        """Open the selected trade."""
        if self.cursor is None:
            self.action_cursor(1)
        if self.selected is not None:
            self.host.push_screen(TradeScreen(self.selected))


def latency(entry: TapeEntry) -> int | None:
    """Return the time from a trade's arrival here to its being read back, in ms; None where unknown."""
    received = entry[0].trade.received_time
    return max(0, entry[1] - received) if received > 0 else None
