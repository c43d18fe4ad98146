"""Checks that a trade must pass beyond its frame: its symbol was asked for, its values make sense, it is new.

Pure, and no clock: it knows what was accepted before in this process, and nothing of connections or Kafka.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

from pipeline.model import Reason, Rejection, Trade

MAX_RANGES = 100_000
"""Ranges of ids kept for each symbol. Each hole in the ids makes one more; beyond this the lowest is forgotten, and a
trade out of it that comes again would pass here (the store still keeps one row of it) and miss in ``ids()``."""
TRADE_AFTER_EVENT = 60_000
"""ms by which a trade's time may lie after its event's time (it should not at all)."""
EVENT_AFTER_TRADE = 86_400_000
"""ms by which an event's time may lie after its trade's time."""


class Overlap(Enum):
    """The trade came before, on the other of two connections that overlap by our own doing: nobody's fault."""

    OVERLAP = "overlap"


class IdRanges:
    """A set of integers as inclusive ranges, in order and apart; consecutive ids cost nothing."""

    def __init__(self, limit: int = MAX_RANGES) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        self._limit = limit

    def add(self, value: int) -> bool:
        """Add a value; False when it is there already."""
        first, last = self._first, self._last
        if last and value == last[-1] + 1:
            last[-1] = value
            return True
        at = bisect_right(first, value)  # the range that could hold it is at - 1
        if at and value <= last[at - 1]:
            return False
        joins_left = at > 0 and last[at - 1] == value - 1
        joins_right = at < len(first) and first[at] == value + 1
        if joins_left and joins_right:
            last[at - 1] = last.pop(at)
            del first[at]
        elif joins_left:
            last[at - 1] = value
        elif joins_right:
            first[at] = value
        else:
            first.insert(at, value)
            last.insert(at, value)
            if len(first) > self._limit:
                del first[0], last[0]
        return True

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Return the inclusive ranges, lowest first."""
        return tuple(zip(self._first, self._last, strict=True))


class Quality:
    """The judge of decoded trades."""

    def __init__(self, symbols: Iterable[str] = ()) -> None:
        self._ids: dict[str, IdRanges] = {}
        self.ask(symbols)

    def ask(self, symbols: Iterable[str]) -> None:
        """Take these symbols for asked for, from now on and for good.

        A symbol that was unsubscribed still has trades under way, and they are true: it stays asked for.
        """
        for symbol in symbols:
            self._ids.setdefault(symbol, IdRanges())

    def judge(self, trade: Trade, frame: bytes, *, overlapping: bool = False) -> Rejection | Overlap | None:
        """Return None for a good trade, which thereby counts as accepted; else why it is not.

        ``frame`` is what carried it. ``overlapping``: two connections of ours deliver the same trades just now.
        """
        ids = self._ids.get(trade.symbol)
        if ids is None:
            return _refusal(trade, frame, Reason.UNKNOWN_SYMBOL, "s", f"{trade.symbol!r} was not asked for", None)
        if not trade.price > 0:
            return _refusal(trade, frame, Reason.OUT_OF_RANGE, "p", "a price of zero", trade.symbol)
        if not trade.quantity > 0:
            return _refusal(trade, frame, Reason.OUT_OF_RANGE, "q", "a quantity of zero", trade.symbol)
        if not -TRADE_AFTER_EVENT <= trade.event_time - trade.trade_time <= EVENT_AFTER_TRADE:
            detail = f"trade time {trade.trade_time} does not fit event time {trade.event_time}"
            return _refusal(trade, frame, Reason.OUT_OF_RANGE, "T", detail, trade.symbol)
        if ids.add(trade.trade_id):
            return None
        if overlapping:
            return Overlap.OVERLAP
        return _refusal(
            trade, frame, Reason.DUPLICATE, "t", f"trade {trade.trade_id} was accepted before", trade.symbol
        )

    def vet(self, rejection: Rejection) -> Rejection:
        """Return a refusal of ``wire`` with its symbol only if it was asked for: hostile text becomes no key."""
        if rejection.symbol is None or rejection.symbol in self._ids:
            return rejection
        return replace(rejection, symbol=None)

    def ids(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Return the inclusive ranges of the accepted ids of each symbol."""
        return {symbol: ids.ranges() for symbol, ids in self._ids.items()}


def _refusal(trade: Trade, frame: bytes, reason: Reason, field: str, detail: str, symbol: str | None) -> Rejection:
    return Rejection(reason, detail, frame, trade.received_time, field, symbol)
