"""A symbol's last 24 hours, minute by minute, for ``ticker/24hr``. No I/O; the clock is an argument.

It reaches back as far as trades were added: what was before this process began, nobody knows.
"""

from collections import deque

from pipeline.exchange.trades import UNIT, MadeTrade, decimal

DAY_MS = 86_400_000
MINUTE_MS = 60_000


class _Minute:
    """Prices and quantities in 10⁻⁸; the value in 10⁻¹⁶."""

    __slots__ = ("count", "first_id", "high", "last", "last_id", "low", "open", "start", "value", "volume")

    def __init__(self, trade: MadeTrade) -> None:
        self.start = trade.trade_time // MINUTE_MS * MINUTE_MS
        self.open = self.high = self.low = self.last = trade.price
        self.first_id = self.last_id = trade.trade_id
        self.volume = self.value = self.count = 0


class Day:
    """At most 1,441 minutes: about half a megabyte."""

    def __init__(self) -> None:
        self._minutes: deque[_Minute] = deque(maxlen=DAY_MS // MINUTE_MS + 1)
        self._since: int | None = None

    def add(self, trade: MadeTrade) -> None:
        """Take the next trade."""
        minutes, price = self._minutes, trade.price
        if not minutes or trade.trade_time >= minutes[-1].start + MINUTE_MS:
            minutes.append(_Minute(trade))
            if self._since is None:
                self._since = trade.trade_time
        minute = minutes[-1]
        if price > minute.high:
            minute.high = price
        elif price < minute.low:
            minute.low = price
        minute.last, minute.last_id = price, trade.trade_id
        minute.volume += trade.quantity
        minute.value += price * trade.quantity
        minute.count += 1

    def ticker(self, symbol: str, now: int) -> dict[str, object]:
        """Return the answer for ``type=MINI`` at ``now`` (ms), to the minute.

        ``openTime`` is 24 hours ago or, where the trades do not reach that far, the first one's time.
        """
        opened = now - DAY_MS
        inside = [minute for minute in self._minutes if minute.start > opened - MINUTE_MS]
        first, last = (inside[0], inside[-1]) if inside else (None, None)
        return {
            "symbol": symbol,
            "openPrice": decimal(first.open if first else 0),
            "highPrice": decimal(max((minute.high for minute in inside), default=0)),
            "lowPrice": decimal(min((minute.low for minute in inside), default=0)),
            "lastPrice": decimal(last.last if last else 0),
            "volume": decimal(sum(minute.volume for minute in inside)),
            "quoteVolume": decimal(sum(minute.value for minute in inside) // UNIT),
            "openTime": opened if self._since is None else max(opened, self._since),
            "closeTime": now,
            "firstId": first.first_id if first else -1,
            "lastId": last.last_id if last else -1,
            "count": sum(minute.count for minute in inside),
        }
