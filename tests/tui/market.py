"""A market for pictures: an hour of the simulated exchange, the same at every call, with the windows that follow."""

from dataclasses import dataclass
from functools import cache
from random import Random

from pipeline.events import MinuteIds, ReadTrade
from pipeline.exchange.generator import Generator
from pipeline.exchange.trades import UNIT, MadeTrade
from pipeline.model import GRACE_MS, WINDOW_MS, Trade, Window
from pipeline.windows import aggregate
from tests.tui.fakes import NOON

SYMBOLS = (
    "BTCUSDT",
    "ETHUSDT",
    "SOLUSDT",
    "XRPUSDT",
    "BNBUSDT",
    "DOGEUSDT",
    "ADAUSDT",
    "SUIUSDT",
    "LINKUSDT",
)
RATE = 60.0
"""Trades a second, all symbols together."""
MINUTES = 65
SEED = 8


@dataclass(frozen=True, slots=True)
class Market:
    """What happened up to ``NOON``."""

    trades: tuple[ReadTrade, ...]
    """Of the last minutes, oldest first."""
    windows: tuple[Window, ...]
    """Closed ones, in the order in which they closed."""
    ids: tuple[MinuteIds, ...]
    """Of the trades of each minute."""


def _read(made: MadeTrade, offset: int, chance: Random) -> ReadTrade:
    trade = Trade(
        event_type="trade",
        event_time=made.event_time,
        symbol=made.symbol,
        trade_id=made.trade_id,
        price=made.price / UNIT,
        quantity=made.quantity / UNIT,
        trade_time=made.trade_time,
        market_maker=made.buyer_is_maker,
        ignore=True,
        received_time=made.event_time + 2 + chance.randrange(4),
    )
    return ReadTrade(trade, 0, offset, made.event_time, schema_id=1)


@cache
def market(recent_ms: int = 300_000) -> Market:
    """Make the market; ``recent_ms`` of its trades are kept."""
    start = NOON // 300_000 * 300_000 - MINUTES * 60_000
    chance = Random(SEED)
    made = []
    generator = Generator(SYMBOLS, seed=SEED, start=start, rate=RATE, burst=1.6)
    for now in range(start, NOON, 1_000):  # it makes good no more than two seconds at a time
        made += generator.advance(min(now + 1_000, NOON))
    windows: list[Window] = []
    for size in WINDOW_MS.values():
        states: dict[tuple[int, str], aggregate.State] = {}
        for trade in made:
            begin = trade.event_time // size * size
            state = states.setdefault((begin, trade.symbol), aggregate.empty())
            aggregate.add(state, trade.trade_id, trade.event_time, trade.price / UNIT, trade.quantity / UNIT)
        closed = ((begin, name) for begin, name in states if begin + size + GRACE_MS <= NOON)
        windows += [aggregate.window(states[key], key[1], key[0], key[0] + size) for key in sorted(closed)]
    minutes: dict[tuple[str, int], list[int]] = {}
    for trade in made:
        ends = minutes.setdefault((trade.symbol, trade.event_time // 60_000 * 60_000), [trade.trade_id, trade.trade_id])
        ends[1] = trade.trade_id
    trades = [_read(trade, n, chance) for n, trade in enumerate(made) if trade.event_time > NOON - recent_ms]
    ids = tuple(MinuteIds(*minute, first, last) for minute, (first, last) in minutes.items())
    return Market(tuple(trades), tuple(windows), ids)
