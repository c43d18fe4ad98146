"""What the screen says about one symbol, and rates over the last seconds. Pure: time is an argument."""

from bisect import bisect_right
from collections import deque

from cryptostreamx_tui.format import decimals
from pipeline.events import ReadTrade

RATE_SECONDS = 5
PRICE_SECONDS = 300
"""How far back prices are kept."""


class Rate:
    """Events a second over the last whole seconds."""

    __slots__ = ("_counts", "_first")

    def __init__(self) -> None:
        self._counts: deque[list[int]] = deque(maxlen=RATE_SECONDS + 2)
        self._first: int | None = None

    def add(self, events: int, now: int) -> None:
        """Count ``events`` at ``now``."""
        second = now // 1000
        if self._first is None:
            self._first = now
        if self._counts and self._counts[-1][0] == second:
            self._counts[-1][1] += events
        else:
            self._counts.append([second, events])

    def value(self, now: int) -> float | None:
        """Return the rate at ``now``; None before anything was counted."""
        if self._first is None:
            return None
        second = now // 1000
        if second == self._first // 1000:
            return float(sum(n for _, n in self._counts))
        span = min(RATE_SECONDS, (second * 1000 - self._first) / 1000)
        inside = sum(n for at, n in self._counts if second - RATE_SECONDS <= at < second)
        # A first second that was hardly begun would make a wild figure of a small count.
        return inside / max(span, 1.0)


class Prices:
    """A symbol's prices by second, for the last minutes, and where there were none to see.

    A price at a time is the last one before it, provided that somebody was watching then: what was before the first
    trade of this run, or while the symbol was not streamed, is unknown.
    """

    __slots__ = ("_prices", "_seconds")

    def __init__(self) -> None:
        self._seconds: list[int] = []
        self._prices: list[float | None] = []

    def add(self, price: float | None, now: int) -> None:
        """Take the price at ``now`` (ms); None says that it is not known from here on."""
        second = now // 1000
        if self._seconds and second <= self._seconds[-1]:  # the same second, or the clock was set back
            self._prices[-1] = price
            return
        self._seconds.append(second)
        self._prices.append(price)
        if len(self._seconds) > 2 * PRICE_SECONDS:
            cut = max(0, bisect_right(self._seconds, second - PRICE_SECONDS) - 1)  # one from before stays
            del self._seconds[:cut], self._prices[:cut]

    def at(self, second: int) -> float | None:
        """Return the price at the end of a second since the epoch; None while unknown."""
        index = bisect_right(self._seconds, second) - 1
        return self._prices[index] if index >= 0 else None

    def recent(self, now: int, points: int, seconds: int = 60) -> list[float]:
        """Return the price at ``points`` times over the last ``seconds``; those that are unknown are left out."""
        last = now // 1000
        seen = (self.at(last - seconds + round((n + 1) * seconds / points)) for n in range(points))
        return [price for price in seen if price is not None]


class SymbolSummary:
    """One symbol, from the trades read."""

    __slots__ = ("last_seen", "price", "price_places", "prices", "quantity_places", "rate", "rising", "streamed_since")

    def __init__(self) -> None:
        self.price: float | None = None
        self.rising: bool | None = None
        """Whether the last change of the price was upwards; None before the first change."""
        self.last_seen: int | None = None
        """When the last trade was received (or read, where that is not known)."""
        self.rate = Rate()
        self.price_places = 2
        self.quantity_places = 2
        """Decimals its prices and quantities need; they only grow, so that columns stay where they are."""
        self.prices = Prices()
        self.streamed_since: int | None = None
        """As the producer reported it last."""

    def update(self, last: ReadTrade, trades: int, now: int, started: int = 0) -> None:
        """Take the last of ``trades`` trades that were read at ``now``; this run began at ``started``."""
        trade = last.trade
        if self.price is not None and trade.price != self.price:
            self.rising = trade.price > self.price
        self.price = trade.price
        seen = trade.received_time if trade.received_time > 0 else now
        self.last_seen = seen
        self.rate.add(trades, now)
        self.price_places = max(self.price_places, decimals(trade.price))
        self.quantity_places = max(self.quantity_places, decimals(trade.quantity))
        if seen >= started:  # what an earlier run received says nothing of the minutes before now
            self.prices.add(trade.price, seen)

    def streamed(self, since: int | None, now: int) -> None:
        """Take the producer's word from when on the symbol is streamed without a break; None where it is not."""
        if since != self.streamed_since and self.streamed_since is not None:
            self.prices.add(None, now)
        self.streamed_since = since

    def change(self, now: int, seconds: int) -> float | None:
        """Return the change of the price over the last ``seconds``, as a fraction; None before so much was seen."""
        before = self.prices.at(now // 1000 - seconds)
        return None if self.price is None or not before else self.price / before - 1

    def age(self, now: int) -> int | None:
        """Milliseconds since the last trade; None before the first."""
        return None if self.last_seen is None else max(0, now - self.last_seen)
