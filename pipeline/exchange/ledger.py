"""The trades that have happened, for REST to serve: the last ones of each symbol, in columns. No I/O, no clock."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.exchange.day import Day
from pipeline.exchange.trades import MadeTrade

HISTORY = 100_000


class PastTrade(NamedTuple):
    """One kept trade; price and quantity in 10⁻⁸, time in milliseconds."""

    trade_id: int
    price: int
    quantity: int
    time: int
    buyer_is_maker: bool
    aggregate_id: int


class History:
    """The last trades of one symbol, 48 bytes each, in order of their ids."""

    def __init__(self, limit: int = HISTORY) -> None:
        """Keep at least ``limit`` trades and at most a quarter more."""
        self._limit = limit
        self._columns = tuple(array("q") for _ in range(6))
        self.day = Day()

    def append(self, trade: MadeTrade) -> None:
        """Take the next trade. One whose id is not above the last one's (a recording may repeat) is left out."""
        ids, prices, quantities, times, makers, aggregates = self._columns
        aggregate = trade.trade_id
        if ids:
            if trade.trade_id <= ids[-1]:
                return
            # An aggregate is one taker order at one price: consecutive trades of the same price, side and time.
            same = trade.price == prices[-1] and trade.trade_time == times[-1] and trade.buyer_is_maker == makers[-1]
            aggregate = aggregates[-1] + (not same)
        self.day.add(trade)
        ids.append(trade.trade_id)
        prices.append(trade.price)
        quantities.append(trade.quantity)
        times.append(trade.trade_time)
        makers.append(trade.buyer_is_maker)
        aggregates.append(aggregate)
        if len(ids) > self._limit + self._limit // 4:
            for column in self._columns:
                del column[: self._limit // 4]

    def __len__(self) -> int:
        return len(self._columns[0])

    def last(self, limit: int) -> list[PastTrade]:
        """Return the ``limit`` newest trades, oldest first."""
        return list(self._rows(max(0, len(self) - limit), len(self)))

    def from_id(self, trade_id: int, limit: int) -> list[PastTrade]:
        """Return up to ``limit`` trades whose id is ``trade_id`` or above, oldest first."""
        start = bisect_left(self._columns[0], trade_id)
        return list(self._rows(start, min(len(self), start + limit)))

    def aggregates(
        self, limit: int, *, from_id: int | None = None, start: int | None = None, end: int | None = None
    ) -> list[list[PastTrade]]:
        """Return up to ``limit`` aggregates, each as its trades, oldest first.

        From aggregate ``from_id`` on, or between the inclusive times ``start`` and ``end``, or the newest.
        """
        _, _, _, times, _, ids = self._columns
        first, last = 0, len(ids)
        if from_id is not None:
            first = bisect_left(ids, from_id)
        if start is not None:
            first = max(first, bisect_left(times, start))
        if end is not None:
            last = bisect_right(times, end)
        if first >= last:
            return []
        if from_id is None and start is None:
            first = max(first, bisect_left(ids, ids[last - 1] - limit + 1))
        else:
            last = min(last, bisect_left(ids, ids[first] + limit))
        groups: list[list[PastTrade]] = []
        for row in self._rows(first, last):
            if groups and groups[-1][0].aggregate_id == row.aggregate_id:
                groups[-1].append(row)
            else:
                groups.append([row])
        return groups

    def _rows(self, start: int, end: int) -> Iterator[PastTrade]:
        for trade_id, price, quantity, time, maker, aggregate in zip(
            *(column[start:end] for column in self._columns), strict=True
        ):
            yield PastTrade(trade_id, price, quantity, time, bool(maker), aggregate)


class Ledger:
    """Every symbol's history. The symbols are fixed: they are what ``exchangeInfo`` lists."""

    def __init__(self, symbols: Iterable[str], limit: int = HISTORY) -> None:
        self._histories = {symbol: History(limit) for symbol in symbols}

    @property
    def symbols(self) -> tuple[str, ...]:
        """The listed symbols, upper case."""
        return tuple(self._histories)

    def history(self, symbol: str) -> History | None:
        """Return a symbol's history, or None where it is not listed."""
        return self._histories.get(symbol)

    def record(self, trades: Iterable[MadeTrade]) -> None:
        """Append trades that have happened; those of unlisted symbols are left out."""
        for trade in trades:
            history = self._histories.get(trade.symbol)
            if history is not None:
                history.append(trade)
