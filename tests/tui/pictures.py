"""Pictures of the screens for the README, made by the application itself: ``python -m tests.tui.pictures FOLDER``.

The events and the clock are scripted, so that the same code makes the same pictures. The feed is the simulated one, and
says so. A picture loads nothing from a network: whoever looks at it sees it in his own monospaced font.
"""

import asyncio
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from textual.pilot import Pilot

from cryptostreamx_tui.app import CryptoStreamX
from pipeline.events import ChildReport, DeadLettersRead, StackEvent, TradesRead, WindowsRead
from tests.tui import fakes
from tests.tui.fakes import NOON, Clock, FakeStack, tell
from tests.tui.market import SYMBOLS, market
from tests.tui.test_snapshots import half_started

SETTLE_S = 0.2
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
    reports = [event for event in fakes.figures(now) if not isinstance(event, DeadLettersRead)]
    producer = next(event for event in reports if isinstance(event, ChildReport) and event.service == "producer")
    mine = fakes.producer(now, symbols=SYMBOLS)
    return [mine if event is producer else event for event in reports]


def letters() -> list[StackEvent]:
    """Two dead letters, and what the producer said of one."""
    return [fakes.letters(NOON), fakes.refusal(NOON)]


PICTURES = (
    Picture("start", (120, 40), events=half_started, running=False),
    Picture("main", (120, 40), events=letters),
    Picture("main-large", (200, 60), events=letters),
    Picture("windows", (120, 40), ("w", "m")),
    Picture("health", (120, 40), ("h",)),
    Picture("dead-letter", (120, 40), ("d", "down", "down", "enter"), letters),
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
    app.emit(WindowsRead(seen.windows, NOON))
    clock.ms = NOON
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
