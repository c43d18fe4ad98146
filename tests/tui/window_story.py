"""Windows with a past for the tests of their pane: closed ones with ids, late trades, a hole, a running one."""

import math

from pipeline.events import (
    ChildReport,
    HistoryRead,
    LateWindow,
    MinuteIds,
    ReadTrade,
    StackEvent,
    TradesRead,
    WindowsStats,
)
from pipeline.model import WINDOW_MS, Window
from tests.tui import fakes
from tests.tui.fakes import NOON

MINUTE = 60_000
NOW_MINUTE = NOON // MINUTE * MINUTE
PER_MINUTE = 100
BASES = {"BTCUSDT": 61_800.0, "ETHUSDT": 2_680.0}
HOLE = 3
"""So many minutes ago trades of BTCUSDT were missed."""


def price(symbol: str, minute: int) -> float:
    """A price that follows from the minute alone."""
    return round(BASES[symbol] * (1 + 0.001 * math.sin(minute / 5) + 0.0004 * math.sin(minute * 1.7)), 2)


def closed(symbol: str, ago: int, size: str = "1m") -> Window:
    """The window that began ``ago`` of its size before the running one."""
    ms = WINDOW_MS[size]
    start = NOON // ms * ms - ago * ms
    minutes = range(start // MINUTE, (start + ms) // MINUTE)
    prices = [price(symbol, minute) for minute in (*minutes, minutes[-1] + 1)]
    hole = symbol == "BTCUSDT" and start <= NOW_MINUTE - HOLE * MINUTE < start + ms
    return Window(
        symbol=symbol,
        window_start=start,
        window_end=start + ms,
        trade_count=PER_MINUTE * len(minutes) - (7 if hole else 0),
        total_quantity=round(20 + 15 * math.sin(start / MINUTE / 3), 5) * len(minutes),
        avg_price=sum(prices) / len(prices),
        min_price=round(min(prices) * 0.9998, 2),
        max_price=round(max(prices) * 1.0002, 2),
        open_price=prices[0],
        close_price=prices[-1],
        vwap=sum(prices) / len(prices) + 0.01,
    )


def ids(symbol: str, ago: int) -> MinuteIds:
    """The ids of the minute that began so many minutes before the running one."""
    number = 10_000 - ago
    return MinuteIds(symbol, NOW_MINUTE - ago * MINUTE, number * PER_MINUTE, number * PER_MINUTE + PER_MINUTE - 1)


def history(minutes: int = 60) -> HistoryRead:
    """What ClickHouse held of the last ``minutes``."""
    windows = [closed(s, ago) for ago in range(minutes, 0, -1) for s in BASES]
    windows += [closed(s, ago, "5m") for ago in range(minutes // 5 - 1, 0, -1) for s in BASES]
    return HistoryRead(tuple(windows), tuple(ids(s, ago) for s in BASES for ago in range(minutes + 1, 0, -1)), NOON)


def running(symbol: str = "BTCUSDT", count: int = 40) -> list[ReadTrade]:
    """Trades of the running minute."""
    first = ids(symbol, 0).first
    made = []
    for i in range(count):
        at = NOW_MINUTE + i * 31_000 // count
        read = fakes.trade(first - 1000 + i, symbol, at + 2, round(price(symbol, at // MINUTE) + i % 9 - 4, 2))
        made.append(ReadTrade(read.trade, 0, 5_000 + i, at))
    return made


def late(now: int, *windows: LateWindow) -> ChildReport:
    """The windows process's report with late trades."""
    event = fakes.figures(now)[1]
    assert isinstance(event, ChildReport)
    stats = event.event
    assert isinstance(stats, WindowsStats)
    fields = {name: getattr(stats, name) for name in WindowsStats.__struct_fields__} | {"late_windows": windows}
    return ChildReport("windows", WindowsStats(**fields))


def story(now: int = NOON) -> list[StackEvent]:
    """A running stack with an hour of windows, a hole, a late trade, and what is unfinished."""
    trades = TradesRead((*running(), *running("ETHUSDT", 25)), now)
    missed = LateWindow("1m", "ETHUSDT", NOW_MINUTE - 2 * MINUTE, 3)
    return [*fakes.started(now), *fakes.figures(now), history(), trades, late(now, missed)]
