"""The windows that are not closed yet, from the trades read. Pure: event time decides, no clock.

Trades of a minute make one state (the windows' own, ``pipeline.windows.aggregate``: each id counts once), and a
5-minute window is put together from its minutes when somebody looks. A batch nearly always has consecutive ids within
one minute for each symbol: then it is taken as a whole, and a trade costs a fraction of a microsecond.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.model import GRACE_MS, WINDOW_MS, Trade, Window
from pipeline.windows import aggregate
from pipeline.windows.coverage import MINUTE_MS, Coverage

KEPT_MINUTES = 10
"""Minutes behind the newest one of a symbol that are kept: two 5-minute windows, as one is open for its grace."""
SYMBOLS_KEPT = 1_000


class Unfinished(NamedTuple):
    """A window that still takes trades: those that were read so far."""

    window: Window
    since: int | None
    """Event time of the first trade read, where reading began in the middle of the window; else None."""
    closing: bool
    """Its span is over; it waits for late trades until the grace is over too."""


class _Symbol:
    __slots__ = ("joined_at", "joined_id", "minutes", "newest")

    def __init__(self, joined: Trade) -> None:
        self.minutes: dict[int, aggregate.State] = {}
        self.newest = 0
        self.joined_id = joined.trade_id
        self.joined_at = joined.event_time


class Running:
    """The unfinished windows of every symbol. What ids were read goes into ``coverage`` on the way."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._symbols: dict[str, _Symbol] = {}
        self.time = 0
        """The largest event time read, of any symbol; 0 before the first."""

    def take(self, by_symbol: Mapping[str, list[Trade]]) -> list[str]:
        """Take a batch, grouped by symbol. Return the symbols of which a minute has begun."""
        began = []
        for symbol, trades in by_symbol.items():
            of = self._symbols.get(symbol)
            if of is None:
                if len(self._symbols) >= SYMBOLS_KEPT:
                    continue
                first = min(trades, key=lambda trade: trade.trade_id)
                of = self._symbols[symbol] = _Symbol(first)
                self._coverage.join(symbol, first.trade_id)
            if self._take(symbol, of, trades):
                began.append(symbol)
        return began

    def _take(self, symbol: str, of: _Symbol, trades: list[Trade]) -> bool:
        """Take the trades of one symbol. Return whether one of them is the first of a minute."""
        ids = [trade.trade_id for trade in trades]
        times = [trade.event_time for trade in trades]
        in_order = sorted(times)
        minute = in_order[0] - in_order[0] % MINUTE_MS
        self.time = max(self.time, in_order[-1])
        one_minute = in_order[-1] < minute + MINUTE_MS and in_order == times
        if one_minute and ids == list(range(ids[0], ids[0] + len(ids))):
            state = self._state(of, minute)
            if state is not None and (not state[aggregate.IDS] or ids[0] > state[aggregate.IDS][-1]):
                prices = [trade.price for trade in trades]
                aggregate.extend(state, ids, times, prices, [trade.quantity for trade in trades])
                return self._coverage.note(symbol, minute, ids[0], ids[-1])
        return self._take_singly(symbol, of, trades)

    def _take_singly(self, symbol: str, of: _Symbol, trades: list[Trade]) -> bool:
        """The same for ids with holes, repeats or disorder, and for the turn of a minute."""
        began = False
        for trade in trades:
            minute = trade.event_time - trade.event_time % MINUTE_MS
            began |= self._coverage.note(symbol, minute, trade.trade_id, trade.trade_id)
            state = self._state(of, minute)
            if state is not None:
                aggregate.add(state, trade.trade_id, trade.event_time, trade.price, trade.quantity)
        return began

    @staticmethod
    def _state(of: _Symbol, minute: int) -> aggregate.State | None:
        """Return a minute's state; None where it is too old to be in an unfinished window."""
        state = of.minutes.get(minute)
        if state is not None or minute < of.newest - KEPT_MINUTES * MINUTE_MS:
            return state
        state = of.minutes[minute] = aggregate.empty()
        if minute > of.newest:
            of.newest = minute
            for old in [at for at in of.minutes if at < minute - KEPT_MINUTES * MINUTE_MS]:
                del of.minutes[old]
        return state

    def starts(self, symbol: str, size: str) -> list[int]:
        """Return the starts of a symbol's windows that take trades, the newest first: two while one is in its grace."""
        of = self._symbols.get(symbol)
        if of is None:
            return []
        ms = WINDOW_MS[size]
        current = self.time - self.time % ms
        starts = (current,) if self.time >= current + GRACE_MS else (current, current - ms)
        return [start for start in starts if any(at in of.minutes for at in range(start, start + ms, MINUTE_MS))]

    def unfinished(self, symbol: str, size: str, start: int) -> Unfinished:
        """Return one of these windows, as far as its trades were read."""
        of, ms = self._symbols[symbol], WINDOW_MS[size]
        states = [of.minutes[at] for at in range(start, start + ms, MINUTE_MS) if at in of.minutes]
        window = aggregate.window(aggregate.together(states), symbol, start, start + ms)
        return Unfinished(window, self._since(symbol, of, start, ms), self.time >= start + ms)

    def _since(self, symbol: str, of: _Symbol, start: int, ms: int) -> int | None:
        if not start <= of.joined_at < start + ms or self._coverage.before(symbol, start) == of.joined_id - 1:
            return None
        return of.joined_at
