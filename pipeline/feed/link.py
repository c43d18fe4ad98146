"""One WebSocket connection to the exchange: reading, subscribing, and noticing that it is dead.

It knows Binance's requests and limits (web-socket-streams.md), and nothing of other connections: when to open the next
one is ``pipeline.feed.binance``'s business.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from pipeline.child import now_ms
from pipeline.feed.backoff import TokenBucket
from pipeline.feed.examine import SUFFIX, Control, ControlKind
from pipeline.text import clean

MAX_STREAMS = 1024
"""Streams of one connection."""
STREAMS_IN_URL = 100
STREAMS_IN_REQUEST = 100
MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of a message beyond which websockets closes (1009); far above what ``wire`` refuses as too large."""

log = logging.getLogger("pipeline.feed")


@dataclass(frozen=True, slots=True)
class Timing:
    """The waits of a connection, in seconds."""

    open: float = 10.0
    close: float = 1.0
    silence: float = 30.0
    """Without any message for this long it is half-open. At two thirds of it a request is sent, which a living
    exchange answers: so a quiet market is no silence, and a connection on which only pings come is no life."""
    answer: float = 10.0
    """For the answer to a request."""
    check: float = 1.0
    """Between two looks at the above."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    symbols: frozenset[str]
    sent: float


class Link:
    """An open connection. ``deliver`` gets each message and the time of its receipt, and may have to be waited for."""

    def __init__(
        self,
        socket: ClientConnection,
        symbols: Iterable[str],
        deliver: Callable[["Link", bytes, int], Awaitable[Any] | None],
        timing: Timing,
    ) -> None:
        self._socket, self._deliver, self._timing = socket, deliver, timing
        self._loop = asyncio.get_running_loop()
        self.opened = self._loop.time()
        self.opened_ms = now_ms()
        self.messages = 0
        self.subscribed: set[str] = set(symbols)
        """Symbols that the exchange acknowledged (those in the URL by opening the connection)."""
        self.since: dict[str, int] = dict.fromkeys(self.subscribed, self.opened_ms)
        """Symbol → when it was acknowledged, ms; earlier where a connection before this one overlapped with it."""
        self.why = ""
        """Why it ended, in the exchange's or the system's words; empty while it lives."""
        self._wanted: set[str] = set(symbols)
        self._refused: set[str] = set()
        self._requests: dict[int, _Request] = {}
        self._last_id = 0
        self._sending = TokenBucket(rate=2, burst=2)  # at most 4 a second; the exchange allows 5, pongs included
        self._last_message = self.opened
        self._waiting_for_room = False
        self._probed = False
        self._changed = asyncio.Event()
        self._tasks = [asyncio.create_task(work) for work in (self._watch(), self._subscribe())]
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls,
        url: str,
        symbols: Iterable[str],
        deliver: Callable[["Link", bytes, int], Awaitable[Any] | None],
        timing: Timing,
    ) -> "Link":
        """Connect to ``{url}/stream``, the first symbols in the URL and the others by request.

        Raises:
            OSError, TimeoutError, websockets.exceptions.WebSocketException: see ``binance.words``.
        """
        wanted = list(symbols)
        first, streams = wanted[:STREAMS_IN_URL], ""
        if first:
            streams = "?streams=" + "/".join(quote(stream_of(symbol), safe="@") for symbol in first)
        target = connect(
            f"{url.rstrip('/')}/stream{streams}",
            compression=None,
            open_timeout=timing.open,
            close_timeout=timing.close,
            ping_interval=None,  # the exchange pings; ours would be answered by a server whose streams are stuck
            max_size=MAX_MESSAGE,
            max_queue=2048,
        )
        if target.ws_uri.host in ("127.0.0.1", "::1", "localhost"):
            target.proxy = None
        link = cls(await target, first, deliver, timing)
        link.want(wanted)
        return link

    @property
    def alive(self) -> bool:
        """Messages can still come."""
        return not self._reading.done()

    @property
    def settled(self) -> bool:
        """Everything wanted is acknowledged or refused."""
        return not self._requests and self._wanted <= self.subscribed | self._refused

    def want(self, symbols: Iterable[str]) -> None:
        """Stream exactly these from now on."""
        self._wanted = set(symbols)
        self._refused &= self._wanted
        self._changed.set()

    async def ended(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - a wait that is no failure
        """Wait for the end, or ``timeout`` seconds; ``why`` tells the cause. What ``deliver`` raised is raised."""
        await asyncio.wait([self._reading], timeout=timeout)
        if self._reading.done():
            self._reading.result()

    async def close(self) -> None:
        """Close in good order: whatever had been received is still delivered."""
        self.why = self.why or "closed by us"
        await self._socket.close()
        await self.ended()

    def control(self, control: Control) -> None:
        """Take an answer of the exchange."""
        request = self._requests.pop(control.request, None) if isinstance(control.request, int) else None
        if request is None:
            return
        if control.kind is ControlKind.ERROR:
            names = ", ".join(sorted(request.symbols)) or "the request"
            log.warning(
                "exchange refused to %s %s: %s (code %s)",
                request.method.lower(),
                names,
                clean(control.message),
                control.code,
            )
            self._refused |= request.symbols
        elif request.method == "SUBSCRIBE":
            self.subscribed |= request.symbols
            for symbol in request.symbols:
                self.since.setdefault(symbol, now_ms())
        elif request.method == "UNSUBSCRIBE":
            self.subscribed -= request.symbols
            for symbol in request.symbols:
                self.since.pop(symbol, None)
        self._changed.set()

    async def _read(self) -> None:
        receive, deliver = self._socket.recv, self._deliver
        try:
            while True:
                message = await receive(decode=False)
                self.messages += 1
                room = deliver(self, message, now_ms())
                self._last_message = self._loop.time()
                if room is not None:
                    self._waiting_for_room = True
                    await room
                    self._waiting_for_room = False
                    self._last_message = self._loop.time()
        except ConnectionClosed as closed:
            self.why = self.why or str(closed)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _watch(self) -> None:
        timing = self._timing
        while True:
            await asyncio.sleep(timing.check)
            now = self._loop.time()
            if self._waiting_for_room:
                continue  # nothing is read, so nothing can be said of the exchange
            quiet = now - self._last_message
            if quiet > timing.silence:
                self.why = f"no message from the exchange for {quiet:.0f} s"
                await self._socket.close()
                return
            if quiet > timing.silence * 2 / 3 and not self._probed:
                self._probed = True
                await self._request("LIST_SUBSCRIPTIONS", frozenset())
            elif quiet < timing.silence / 2:
                self._probed = False
            late = [number for number, request in self._requests.items() if now - request.sent > timing.answer]
            for number in late:
                log.info("no answer to %s for %.0f s", self._requests.pop(number).method, timing.answer)
                self._changed.set()  # asks again for what is still missing

    async def _subscribe(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            under_way = frozenset[str]().union(*(request.symbols for request in self._requests.values()))
            missing = sorted(self._wanted - self.subscribed - under_way - self._refused)
            surplus = sorted(self.subscribed - self._wanted - under_way - self._refused)
            for method, symbols in (("SUBSCRIBE", missing), ("UNSUBSCRIBE", surplus)):
                for at in range(0, len(symbols), STREAMS_IN_REQUEST):
                    await self._request(method, frozenset(symbols[at : at + STREAMS_IN_REQUEST]))

    async def _request(self, method: str, symbols: frozenset[str]) -> None:
        await asyncio.sleep(self._sending.wait(self._loop.time()))
        self._last_id += 1
        message: dict[str, object] = {"method": method, "id": self._last_id}
        if symbols:
            message["params"] = [stream_of(symbol) for symbol in sorted(symbols)]
        self._requests[self._last_id] = _Request(method, symbols, self._loop.time())
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed as closed:
            log.debug("%s not sent, the reader tells why: %s", method, closed)


def stream_of(symbol: str) -> str:
    """Return the name of a symbol's trade stream."""
    return symbol.lower() + SUFFIX
