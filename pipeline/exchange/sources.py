"""Where the exchange's trades come from, and the loops that bring them to the server at the right time."""

import asyncio
import math
from pathlib import Path
from typing import Protocol

from pipeline.child import now_ms
from pipeline.exchange.generator import Generator
from pipeline.exchange.ledger import Ledger
from pipeline.exchange.recording import Pace, read, survey
from pipeline.exchange.rest import Listing, listing_of
from pipeline.exchange.trades import Frame, frame_of, trade_frame, trade_of
from pipeline.exchange.websocket import StreamServer

TICK_S = 0.01
"""How often generated trades go out."""
BATCH = 512
"""Recorded frames handed over at once, at most."""
SOON_S = 0.0005
"""A frame due within this is sent with those before it."""


class Source(Protocol):
    """Trades for the ledger and the server."""

    listings: dict[str, Listing]
    """What ``exchangeInfo`` lists."""
    total: int | None
    """Frames there are; None without an end."""
    ended: bool
    """Everything has been sent."""

    def routed(self, stream: str) -> str | None:
        """Return the symbol (lower case) whose frames a stream's name asks for, or None for none."""

    async def run(self, server: StreamServer, ledger: Ledger) -> None:
        """Bring the trades, until the end if there is one."""


class Generated:
    """Generated trades: always going on, listened to or not."""

    def __init__(self, generator: Generator) -> None:
        self.total: int | None = None
        self.ended = False
        self._generator = generator
        self.listings = {
            market.symbol: Listing(market.base, market.quote, market.tick, market.lot) for market in generator.markets
        }

    def routed(self, stream: str) -> str | None:
        """Only trade streams carry anything."""
        symbol, _, kind = stream.partition("@")
        return symbol if kind == "trade" else None

    async def run(self, server: StreamServer, ledger: Ledger) -> None:
        """Make the trades of each tick; frames are made only of those that somebody gets."""
        while True:
            await asyncio.sleep(TICK_S)
            trades = self._generator.advance(now_ms())
            ledger.record(trades)
            audience = server.audience
            if audience:
                wanted = {symbol for symbol in self.listings if symbol.lower() in audience}
                frames = [trade_frame(trade) for trade in trades if trade.symbol in wanted]
                while frames and (taken := server.publish(frames)):
                    frames = frames[taken:]


class Recorded:
    """A recording, replayed once. It waits for the first subscription, and whenever there is none any more."""

    def __init__(self, path: Path, speed: float) -> None:
        """Read the recording through once.

        Raises:
            BrokenRecordingError: a line is broken.
            OSError: it cannot be read.
        """
        found = survey(path)
        self._path = path
        self._pace = Pace(speed)
        # As fast as it is taken: a client that takes nothing is waited for. At a pace of its own it is not.
        self._hearing = math.isinf(speed)
        self.total: int | None = found.total
        self.listings = {symbol: listing_of(symbol) for symbol in found.symbols}
        self.ended = False

    def routed(self, stream: str) -> str | None:
        """Any stream of a symbol brings all that the recording has of it."""
        symbol, at, _ = stream.partition("@")
        return symbol if at else None

    async def run(self, server: StreamServer, ledger: Ledger) -> None:
        """Send each frame when it is due, as it was received.

        Raises:
            BrokenRecordingError: the file was changed since it was read through.
            OSError: it cannot be read any more.
        """
        clock = asyncio.get_running_loop().time
        batch: list[Frame] = []
        await server.listener(hearing=self._hearing)
        for received, text in read(self._path):
            delay = self._pace.delay(received, clock())
            if batch and (delay > SOON_S or len(batch) >= BATCH):
                await self._hand_over(batch, server, ledger)
                batch.clear()
                delay = self._pace.delay(received, clock())
            if delay > SOON_S:
                await asyncio.sleep(delay)
            batch.append(frame_of(text))
        await self._hand_over(batch, server, ledger)
        server.flush()
        self.ended = True

    async def _hand_over(self, batch: list[Frame], server: StreamServer, ledger: Ledger) -> None:
        done = 0
        while done < len(batch):
            if await server.listener(hearing=self._hearing):
                self._pace.restart()
            taken = server.publish(batch[done:])
            happened = (trade_of(frame.text) for frame in batch[done : done + taken])
            ledger.record(trade for trade in happened if trade is not None)
            done += taken
            await server.drain()
            await asyncio.sleep(0)  # drain does not yield while the client keeps up; others must have their turn
