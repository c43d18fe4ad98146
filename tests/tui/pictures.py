"""Pictures of the screens for the README, made by the application itself: ``python -m tests.tui.pictures FOLDER``.

The events and the clock are scripted, so that the same code makes the same pictures. The feed is the simulated one, and
says so. A picture loads nothing from a network: whoever looks at it sees it in his own monospaced font.
"""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from random import Random

from msgspec.structs import replace as replace_struct
from textual.pilot import Pilot

from cryptostreamx_tui.app import CryptoStreamX
from pipeline.events import (
    ChildReport,
    ClockOffset,
    DaySeen,
    DayTicker,
    DeadLettersRead,
    HistoryRead,
    LogLine,
    StackEvent,
    TradesRead,
)
from pipeline.model import WINDOW_MS, Header
from pipeline.quantiles import Histogram
from pipeline.store.query import Answer, Summary
from pipeline.store.result import Table
from tests.tui import broker, fakes
from tests.tui.fakes import NOON, Clock, FakeStack, tell
from tests.tui.health_fakes import inventory
from tests.tui.market import SYMBOLS, market
from tests.tui.test_snapshots import half_started

SETTLE_S = 0.2
DAY_MS = 86_400_000
FRAME_MS = 50
"""Trades are read, and shown, in batches of this."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: how large, and what leads to it."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    events: Callable[[], list[StackEvent]] = list
    """After a while of the running market, or instead of it."""
    running: bool = True
    prepare: Callable[[FakeStack], None] = lambda _: None


def figures(now: int) -> list[StackEvent]:
    """The second's reports of a stack in good health."""
    reports = [event for event in (*fakes.figures(now), *inventory(now)) if not isinstance(event, DeadLettersRead)]
    theirs = next(event for event in reports if isinstance(event, ChildReport) and event.service == "producer")
    return [producer(now) if event is theirs else event for event in reports]


def producer(now: int, **more: object) -> ChildReport:
    """The producer's report."""
    received, acknowledged = Histogram(), Histogram()
    for number in range(200):
        received.add(2 + number % 17 % 5 + number % 40 // 39 * 9)
        acknowledged.add(18 + number % 23 + number % 50 // 49 * 20)
    return fakes.producer(
        now,
        symbols=SYMBOLS,
        streamed_since=dict.fromkeys(SYMBOLS, now - 3_900_000),
        connected_since=now - 3_900_000,
        received_after=received.take(),
        acknowledged_after=acknowledged.take(),
        clock_offset=ClockOffset(0.4, 0.9, now - 12_000),
        **more,
    )


def letters() -> list[StackEvent]:
    """Dead letters, and what the producer said of them."""
    (sink, refused) = fakes.letters(NOON).letters
    frames = (
        ("missing_field", "q", "there is no q", NOON - 210_000, "ETHUSDT"),
        ("bad_number", "p", "p is not a plain decimal: '1e400'", NOON - 130_000, "SOLUSDT"),
        ("out_of_range", "q", "q is not positive: '-0.5'", NOON - 61_000, "BTCUSDT"),
        ("wrong_unit", "T", "T is in microseconds: 1723118642117000", NOON - 29_000, "XRPUSDT"),
        ("bad_number", "p", "p is not a plain decimal: 'NaN'", NOON - 1_500, "BTCUSDT"),
    )
    made, said = [], []
    for number, (reason, field, detail, at, symbol) in enumerate(frames):
        values = {"error.reason": reason, "error.field": field, "error.detail": detail, "received_time": str(at - 1)}
        headers = tuple(Header(key, value.encode()) for key, value in values.items())
        made.append(
            replace_struct(refused, offset=3 + number, timestamp=at, key=symbol.encode(), headers=headers),
        )
        line = LogLine(level="WARNING", time=at, message=detail, reason=reason, symbol=symbol)
        said.append(ChildReport("producer", line))
    made.insert(4, sink)
    refusals = Counter(reason for reason, *_ in frames)
    report = producer(NOON, refused=dict(refusals), dead_letters=len(frames), frames=61_240, accepted=61_231)
    return [DeadLettersRead(tuple(made), NOON), *said, report]


def days() -> DaySeen:
    """Where the symbols stood a day ago."""
    last = {read.trade.symbol: read.trade.price for read in market().trades}
    chance = Random(3)
    opens = {symbol: price * (1 + chance.gauss(0, 0.02)) for symbol, price in last.items()}
    return DaySeen(NOON, {name: DayTicker(opens[name], last[name], NOON - DAY_MS, NOON) for name in last})


def with_records(stack: FakeStack) -> None:
    """Topics with records in them."""
    assert stack.desk is not None
    stack.desk.broker = broker.trading(NOON)


def with_result(stack: FakeStack) -> None:
    """What ClickHouse answers to the first ready-made query."""
    names = ("window_start_dt", "symbol", "trade_count", "open_price", "max_price", "min_price", "close_price", "vwap")
    kinds = ("DateTime64(3, 'UTC')", "LowCardinality(String)", "UInt64", *("Float64",) * 5)
    last = [window for window in market().windows if window.window_end - window.window_start == WINDOW_MS["1m"]]
    last.sort(key=lambda window: (-window.window_start, window.symbol))
    rows = [
        (
            datetime.fromtimestamp(window.window_start / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.000"),
            window.symbol,
            window.trade_count,
            window.open_price,
            window.max_price,
            window.min_price,
            window.close_price,
            window.vwap,
        )
        for window in last[:100]
    ]
    table = Table(100_000)
    table.feed("".join("\t".join(map(str, row)) + "\n" for row in (names, kinds, *rows)).encode())
    table.close()
    assert stack.desk is not None
    stack.desk.answer = Answer(table, Summary(len(last), 0, len(rows)), 0.021)


PICTURES = (
    Picture("start", (120, 40), events=half_started, running=False),
    Picture("main", (120, 40), events=letters),
    Picture("main-large", (200, 60), events=letters),
    Picture("windows", (120, 40), ("w", "m", "n")),
    Picture("health", (120, 40), ("h",)),
    Picture("messages", (120, 40), ("b", "down", "enter"), prepare=with_records),
    Picture("query", (120, 40), ("u", "ctrl+t", "enter", "ctrl+r"), prepare=with_result),
    Picture("dead-letter", (120, 40), ("d", "down", "enter"), letters),
)


async def run_up(app: CryptoStreamX, clock: Clock) -> None:
    """Let the market's last minutes pass, a frame at a time, without drawing."""
    seen = market()
    first = seen.trades[0].timestamp
    clock.ms = first
    for event in fakes.started(first):
        app.emit(event)
    app.emit(DeadLettersRead((), first))
    for frame, trades in groupby(seen.trades, lambda read: read.trade.received_time // FRAME_MS):
        batch = tuple(trades)
        clock.ms = min(NOON, frame * FRAME_MS + 67)
        app.emit(TradesRead(batch, clock.ms))
        app.state.drawn(clock.ms)
    app.emit(HistoryRead(seen.windows, seen.ids, NOON))
    clock.ms = NOON
    app.emit(days())
    for event in figures(NOON):
        app.emit(event)
    for name in fakes.SERVICES:
        app.emit(replace(fakes.service(name, NOON), restarts=0))


async def take(picture: Picture) -> str:
    """Return the picture as SVG."""
    stack, clock = FakeStack("simulated", SYMBOLS), Clock()
    stack._symbols = SYMBOLS
    picture.prepare(stack)
    app = CryptoStreamX(stack, clock)

    async def press(pilot: Pilot[int]) -> None:
        for key in picture.keys:
            await pilot.press(key)
            await tell(app, pilot)
            await app.workers.wait_for_complete()

    async with app.run_test(size=picture.size) as pilot:
        if picture.running:
            await run_up(app, clock)
        await tell(app, pilot, *picture.events())
        await press(pilot)
        await pilot.pause(SETTLE_S)
        await tell(app, pilot)
        return plain_fonts(app.export_screenshot(title="CryptoStreamX"))


def plain_fonts(svg: str) -> str:
    """Return the picture without fonts from a network; lines and letters stay where they are in any monospaced one."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", "font-family: ui-monospace, Menlo, Consolas, monospace")
    svg = re.sub(r"font-family: arial", "font-family: sans-serif", svg)
    return re.sub(r"\s*<!-- Generated with Rich .*?-->", "", svg) + "\n"


def main() -> int:
    """Take all pictures, or those that are named after the folder."""
    folder, *names = sys.argv[1:] or ["docs/pictures"]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if not names or picture.name in names:
            path = Path(folder) / f"{picture.name}.svg"
            path.write_text(asyncio.run(take(picture)), encoding="utf-8")
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
