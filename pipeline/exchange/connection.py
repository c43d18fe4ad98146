"""One client's connection: what it is subscribed to, its limits, its pings, and what a fault can do to it.

It does not know what is sent over it.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Opcode
from websockets.frames import Frame as WireFrame
from websockets.protocol import Event, State

from pipeline.child import now_ms
from pipeline.exchange.limits import MESSAGES_A_SECOND, SlidingLimit
from pipeline.exchange.protocol import Session

_COUNTED = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.PONG})
_HALF_FRAME = struct.pack("!BBH", 0x81, 126, 180) + b'{"stream":"btcusdt@trade","data":{"e":"trade","E":17'
_RST_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Timing:
    """Binance's durations, in seconds (web-socket-streams.md, "General WSS information")."""

    ping_interval: float = 20.0
    pong_timeout: float = 60.0
    max_age: float = 24 * 3600.0


TIMING = Timing()


def wire_text(text: bytes) -> bytes:
    """Return the bytes of an unmasked, unfragmented text frame (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + text
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + text
    return struct.pack("!BBQ", 0x81, 127, size) + text


class Connection(ServerConnection):
    """One client. What it is subscribed to is in ``session``; ``symbols`` follows from it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session = Session()
        self.symbols: frozenset[str] = frozenset()
        """Lower case; what frames are routed by."""
        self.silent = False
        self._incoming = SlidingLimit(MESSAGES_A_SECOND, 1.0)
        self._closing: asyncio.Task[None] | None = None

    @property
    def listening(self) -> bool:
        """Whether it is open and subscribed to anything."""
        # After an abort the state stays OPEN until the event loop's next turn.
        return bool(self.symbols) and self.state is State.OPEN and not self.transport.is_closing()

    def process_event(self, event: Event) -> None:
        """Count what comes in, control frames too, before websockets handles it."""
        # Too many: 1008 with these words was seen from Binance by binance-connector-js#530 and connector-go#90.
        counted = isinstance(event, WireFrame) and event.opcode in _COUNTED
        if counted and not self._incoming.allows(self.loop.time()):
            self.close_soon(CloseCode.POLICY_VIOLATION, "Too many requests")
            return
        super().process_event(event)

    def close_soon(self, code: CloseCode, reason: str) -> None:
        """Close from where nothing can be awaited; only the first call counts. A silent connection says nothing."""
        if self._closing is None and not self.silent:
            self._closing = self.loop.create_task(self.close(code, reason))

    async def keep_alive(self, timing: Timing) -> None:
        """Send pings until cancelled or closed, and close the connection when a pong does not come back."""
        while True:
            await asyncio.sleep(timing.ping_interval)
            if self.silent:
                continue
            try:
                pong = await self.ping(str(now_ms()))
            except ConnectionClosed:
                return
            self.loop.call_later(timing.pong_timeout, self._expect, pong)

    def _expect(self, pong: Awaitable[float]) -> None:
        if isinstance(pong, asyncio.Future) and not pong.done():
            self.close_soon(CloseCode.POLICY_VIOLATION, "Pong timeout")

    def fall_silent(self, seconds: float) -> None:
        """Neither send nor read anything for that long: what a broken path looks like from the other side."""
        self.silent = True
        self.transport.pause_reading()
        self.loop.call_later(seconds, self._speak_again)

    def _speak_again(self) -> None:
        self.silent = False
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def reset(self) -> None:
        """Abort the TCP connection (RST) in the middle of a frame."""
        self.transport.write(_HALF_FRAME)
        peer: socket.socket = self.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        self.transport.abort()
