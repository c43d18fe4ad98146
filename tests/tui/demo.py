"""Look at the screens by hand: ``python -m tests.tui.demo [--rate 5000] [--feed simulated] [--story failing]``.

Everything is made up here; no server is started.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable

from cryptostreamx_tui.app import CryptoStreamX
from pipeline.child import now_ms
from pipeline.events import (
    ChildReport,
    DeadLettersRead,
    ReadTrade,
    StackEvent,
    StackPhase,
    StepChanged,
    StepState,
    TradesRead,
    WindowsRead,
)
from pipeline.model import ServiceState, Trade
from tests.tui import fakes


class DemoStack(fakes.FakeStack):
    """A fake stack that streams made-up trades."""

    def __init__(self, rate: int, story: str, feed: str) -> None:
        super().__init__(feed)
        self.rate = rate
        self.story = story
        self.live = self.settings.symbols
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, emit: Callable[[StackEvent], None]) -> None:
        await super().start(emit)
        self._tasks.append(asyncio.create_task(self._tell()))

    async def _tell(self) -> None:
        pace = 0.0 if self.story == "live" else 0.25
        self.emit(StackPhase("starting", now_ms()))
        for name in fakes.SERVICES:
            self.emit(fakes.service(name, now_ms(), ServiceState.WAITING, since=now_ms()))
        for group, name, state, detail in fakes.STEPS:
            self.emit(StepChanged(group, name, StepState.RUNNING, "", now_ms()))
            await asyncio.sleep(pace)
            self.emit(StepChanged(group, name, state, detail, now_ms()))
        for name in fakes.SERVICES:
            self.emit(fakes.service(name, now_ms(), ServiceState.STARTING, since=now_ms()))
            await asyncio.sleep(pace)
            self.emit(fakes.service(name, now_ms(), since=now_ms()))
        if self.story == "failing":
            error = "exit code 1: Address already in use: bind 127.0.0.1:9092"
            self.emit(fakes.service("kafka-1", now_ms(), ServiceState.FAILED, last_error=error, restarts=5))
            reason = "[Errno -2] Name or service not known: stream.binance.com"
            self.emit(fakes.producer(now_ms(), connected=False, feed_error=reason, symbols=()))
        self.emit(StackPhase("running", now_ms()))
        if self.story != "failing":
            self._tasks.append(asyncio.create_task(self._stream()))

    async def _stream(self) -> None:
        chance = random.Random(1)
        prices = {"BTCUSDT": 61_837.63, "ETHUSDT": 2_682.51, "SOLUSDT": 155.2, "BNBUSDT": 512.4}
        number = 0
        began = time.monotonic()
        second = 0
        while True:
            due = int((time.monotonic() - began) * self.rate) - number
            now = now_ms()
            batch = []
            for _ in range(max(0, due)):
                number += 1
                symbol = chance.choice(self.live)
                prices[symbol] = round(prices[symbol] * (1 + chance.gauss(0, 0.00003)), 2)
                made = Trade(
                    event_type="trade",
                    event_time=now - 30,
                    symbol=symbol,
                    trade_id=number,
                    price=prices[symbol],
                    quantity=round(chance.expovariate(10), 5),
                    trade_time=now - 31,
                    market_maker=chance.random() < 0.5,
                    ignore=True,
                    received_time=now - chance.randrange(20, 60),
                )
                batch.append(ReadTrade(made, 0, number, now - 10))
            self.emit(TradesRead(tuple(batch), now))
            if now // 1000 != second:
                second = now // 1000
                self._second(now)
            await asyncio.sleep(0.1)

    def _second(self, now: int) -> None:
        for event in fakes.figures(now):
            if not isinstance(event, ChildReport | DeadLettersRead):
                self.emit(event)
        for event in fakes.figures(now)[1:3]:
            self.emit(event)
        self.emit(fakes.producer(now, symbols=self.live))
        for name in fakes.SERVICES:
            self.emit(fakes.service(name, now))
        if now // 1000 % 7 == 0:
            self.emit(fakes.letters(now))
            self.emit(fakes.refusal(now))
        if now // 1000 % 5 == 0:
            self.emit(WindowsRead(tuple(fakes.window(now // 5000 % 60, symbol) for symbol in self.live), now))

    async def set_symbols(self, symbols: tuple[str, ...], known: tuple[str, ...]) -> None:
        await super().set_symbols(symbols, known)
        await asyncio.sleep(1)
        self.live = symbols

    async def use_simulated(self) -> None:
        await super().use_simulated()
        self.story = "start"
        self.emit(StackPhase("stopped", now_ms()))
        await self._tell()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.emit(StackPhase("stopping", now_ms()))
        for name in reversed(fakes.SERVICES):
            self.emit(fakes.service(name, now_ms(), ServiceState.STOPPING, since=now_ms()))
        for name in reversed(fakes.SERVICES):
            await asyncio.sleep(0.2)
            self.emit(fakes.service(name, now_ms(), ServiceState.STOPPED, since=now_ms()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=300, help="trades a second")
    parser.add_argument("--feed", default="live")
    parser.add_argument("--story", choices=("start", "live", "failing"), default="start")
    args = parser.parse_args()
    return CryptoStreamX(DemoStack(args.rate, args.story, args.feed)).run() or 0


if __name__ == "__main__":
    sys.exit(main())
