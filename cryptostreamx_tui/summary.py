"""What the screen says about one symbol, and rates over the last seconds. Pure: time is an argument."""

from collections import deque

from cryptostreamx_tui.format import decimals
from pipeline.events import ReadTrade

RATE_SECONDS = 5
HISTORY = 60


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


class SymbolSummary:
    """One symbol, from the trades read."""

    __slots__ = ("first_price", "history", "last_seen", "price", "price_places", "quantity_places", "rate", "rising")

    def __init__(self) -> None:
        self.price: float | None = None
        self.first_price: float | None = None
        self.rising: bool | None = None
        """Whether the last change of the price was upwards; None before the first change."""
        self.last_seen: int | None = None
        """When the last trade was received (or read, where that is not known)."""
        self.rate = Rate()
        self.price_places = 2
        self.quantity_places = 2
        """Decimals its prices and quantities need; they only grow, so that columns stay where they are."""
        self.history: deque[float] = deque(maxlen=HISTORY)
        """Prices, one a second."""

    def update(self, last: ReadTrade, trades: int, now: int) -> None:
        """Take the last of ``trades`` trades that were read at ``now``."""
        trade = last.trade
        if self.price is None:
            self.first_price = trade.price
        elif trade.price != self.price:
            self.rising = trade.price > self.price
        self.price = trade.price
        seen = trade.received_time if trade.received_time > 0 else now
        new_second = self.last_seen is None or seen // 1000 != self.last_seen // 1000
        self.last_seen = seen
        self.rate.add(trades, now)
        self.price_places = max(self.price_places, decimals(trade.price))
        self.quantity_places = max(self.quantity_places, decimals(trade.quantity))
        if new_second:
            self.history.append(trade.price)
        else:
            self.history[-1] = trade.price

    @property
    def change(self) -> float | None:
        """Change of the price since the first trade seen, as a fraction."""
        if self.price is None or not self.first_price:
            return None
        return self.price / self.first_price - 1

    def age(self, now: int) -> int | None:
        """Milliseconds since the last trade; None before the first."""
        return None if self.last_seen is None else max(0, now - self.last_seen)
