"""Seeded trades that look like a market's: bursts, heavy-tailed sizes, clustered volatility. No I/O, no clock.

Deterministic for (seed, start): the trades are a function of these two alone, however often and at whatever times
``advance`` is called.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.exchange.trades import UNIT, MadeTrade

IDS_PER_MS = 100
VOLATILITY = 1.5e-4
"""Standard deviation of the logarithm of a price after one second; BTCUSDT's is about half of it."""
REVERSION_S = 3_600.0
"""Time constant with which a price is drawn back to its reference."""
MAX_BURST = 2_000
MAX_BEHIND_MS = 2_000.0
_TAIL = -1 / 1.6
"""Sizes of bursts are Pareto distributed with the exponent 1.6: a finite mean, no finite variance."""


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol: where its price starts, the grid of its prices and quantities, how busy it is."""

    base: str
    quote: str
    price: int
    """Reference price in 10⁻⁸."""
    tick: int
    """Smallest step of the price in 10⁻⁸."""
    lot: int
    """Smallest step of the quantity in 10⁻⁸."""
    weight: float
    """Share of the trades, relative to the other symbols."""

    @property
    def symbol(self) -> str:
        """Base and quote asset together, as in ``exchangeInfo``."""
        return self.base + self.quote


def _usdt(base: str, price: float, tick: float, lot: float, weight: float) -> Market:
    return Market(base, "USDT", round(price * UNIT), round(tick * UNIT), round(lot * UNIT), weight)


MARKETS: dict[str, Market] = {
    market.symbol: market
    for market in (
        _usdt("BTC", 91_250.0, 0.01, 0.00001, 30),
        _usdt("ETH", 3_120.0, 0.01, 0.0001, 24),
        _usdt("SOL", 138.5, 0.01, 0.001, 12),
        _usdt("XRP", 2.085, 0.0001, 0.1, 9),
        _usdt("BNB", 902.4, 0.01, 0.001, 7),
        _usdt("DOGE", 0.1411, 0.00001, 1, 6),
        _usdt("ADA", 0.4163, 0.0001, 0.1, 3),
        _usdt("SUI", 1.612, 0.0001, 0.1, 3),
        _usdt("LINK", 13.84, 0.01, 0.01, 2),
        _usdt("AVAX", 13.92, 0.01, 0.01, 2),
        _usdt("TRX", 0.2855, 0.0001, 0.1, 2),
        _usdt("LTC", 81.7, 0.01, 0.001, 1.5),
        _usdt("PEPE", 0.00000452, 0.00000001, 1, 1.5),
        _usdt("币安人生", 0.1185, 0.0001, 0.1, 1),  # a listed symbol that is not ASCII
    )
}
"""The markets the generator knows, busiest first."""


class UnknownMarketError(ValueError):
    """A symbol was asked for that the generator has no market for, or none at all."""


class _Walk:
    """The state of one symbol: a mean-reverting walk of the log price whose variance is clustered as in GARCH(1,1)."""

    __slots__ = ("at", "last_trade_time", "market", "next_id", "offset", "typical_lots", "variance")

    def __init__(self, market: Market, start: float, first_id: int) -> None:
        self.market = market
        self.next_id = first_id
        self.at = start
        self.last_trade_time = 0
        self.offset = 0.0
        self.variance = 1.0
        # The median trade is worth about 120 of the quote asset.
        self.typical_lots = 120 * UNIT * UNIT / (market.price * market.lot)

    def burst(self, rng: random.Random, at: float, size: int, out: list[MadeTrade]) -> None:
        """Append the trades of one taker order that met ``size`` resting ones."""
        market = self.market
        seconds, self.at = (at - self.at) / 1000, at
        shock = rng.gauss(0, 1)
        self.offset += VOLATILITY * math.sqrt(self.variance * seconds) * shock - self.offset * seconds / REVERSION_S
        self.variance = 0.08 + 0.84 * self.variance + 0.08 * shock * shock
        sold = rng.random() < 0.5  # the taker sells into resting buy orders: the buyer is the maker
        # A buyer pays the best ask, one tick above the best bid that a seller gets.
        ticks = max(1, int(market.price * math.exp(self.offset) / market.tick)) + (not sold)
        event_time = int(at)
        trade_time = self.last_trade_time = max(self.last_trade_time, event_time - rng.randrange(3))
        first, self.next_id = self.next_id, self.next_id + size
        for trade_id in range(first, self.next_id):
            lots = max(1, int(self.typical_lots * math.exp(1.7 * rng.gauss(0, 1))))
            price, quantity = ticks * market.tick, lots * market.lot
            out.append(MadeTrade(market.symbol, trade_id, price, quantity, event_time, trade_time, sold))
            if rng.random() < 0.12:  # that level is empty: the order eats into the next one
                ticks = max(1, ticks - 1) if sold else ticks + 1


class Generator:
    """Makes the trades of all its symbols from ``start`` on."""

    def __init__(self, symbols: Iterable[str], *, seed: int, start: int, rate: float, burst: float = 3.0) -> None:
        """Begin at ``start``.

        Args:
            symbols: Which of ``MARKETS``; the order does not matter.
            seed: Any number.
            start: Milliseconds since the epoch.
            rate: Trades a second, all symbols together, in the long run.
            burst: Mean size of a burst, roughly; 1 for no bursts.

        Raises:
            UnknownMarketError: a symbol is not in ``MARKETS``, or none is given.
        """
        chosen = set(symbols)
        if unknown := chosen - MARKETS.keys():
            raise UnknownMarketError(f"no such market: {', '.join(sorted(unknown))}; there are {', '.join(MARKETS)}")
        if not chosen:
            raise UnknownMarketError("no symbols")
        # (symbol, trade_id) is a trade's identity everywhere downstream, so a restart must never use an id again:
        # ids begin where the clock stands, and up to 100,000 trades a second of a symbol never overtake it.
        self.first_id = start * IDS_PER_MS
        markets = [market for name, market in MARKETS.items() if name in chosen]
        self._walks = [_Walk(market, float(start), self.first_id) for market in markets]
        self._weights = [sum(market.weight for market in markets[: n + 1]) for n in range(len(markets))]
        self._rng = random.Random(seed)  # noqa: S311 - simulated, nothing to keep secret
        self._rate_ms = rate / 1000
        self._more = max(0.0, burst - 1)
        self._next = start + self._rng.expovariate(self._rate_ms)

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets that trade here."""
        return tuple(walk.market for walk in self._walks)

    def advance(self, now: int) -> list[MadeTrade]:
        """Return the trades of all symbols up to ``now`` (ms), oldest first; event times never go back.

        A clock that jumped by more than 2 s (a suspended machine, a rate beyond this machine) is followed, not made
        good for: a real exchange has no backlog either.
        """
        if now - self._next > MAX_BEHIND_MS:
            self._next = float(now)
        rng, out = self._rng, list[MadeTrade]()
        while self._next <= now:
            size = 1
            if self._more:
                # A Pareto variable minus one has the mean 1 / (1.6 - 1).
                size += min(MAX_BURST, round(self._more * 0.6 * ((1 - rng.random()) ** _TAIL - 1)))
            (walk,) = rng.choices(self._walks, cum_weights=self._weights)
            walk.burst(rng, self._next, size, out)
            # The pause is in proportion to the burst, so that the rate holds whatever the sizes were.
            self._next += rng.expovariate(self._rate_ms / size)
        return out
