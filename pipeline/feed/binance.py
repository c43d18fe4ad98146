"""Binance's trade streams for as long as the process lives: connect, reconnect, overlap, back off.

A connection that ends is replaced after a backoff; one that is about to end (``serverShutdown``, 24 hours) only after
the next one delivers, so that nothing is lost in between. What arrives twice by that overlap is marked as such. It
decodes frames and hands them to a ``Receiver``; it knows nothing of Kafka.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from websockets.exceptions import InvalidStatus, WebSocketException

from pipeline.feed.backoff import Attempts, Backoff
from pipeline.feed.link import MAX_STREAMS, Link, Timing
from pipeline.feed.wire import Control, ControlKind, decode
from pipeline.model import Rejection, Trade
from pipeline.text import clean, clean_bytes

_RETIRE_CHECK = 0.1
"""Seconds between two looks at whether the new connection has taken over."""

log = logging.getLogger("pipeline.feed")


class Receiver(Protocol):
    """Who takes what arrives. The first four must not wait; they are called in the order of arrival."""

    def trade(self, trade: Trade, frame: bytes, *, overlapping: bool) -> None:
        """Take a decoded trade, not judged yet."""

    def refused(self, rejection: Rejection) -> None:
        """Take a refusal."""

    def control(self, control: Control) -> None:
        """Take a control message (the feed heeds it by itself)."""

    def ignored(self) -> None:
        """Take a frame of a stream that carries no trades."""

    def room(self) -> Awaitable[Any] | None:
        """Return None to go on, or what to wait for before anything more is read (back-pressure)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the feed keeps its connections, in seconds."""

    stable: float = 10.0
    """A connection that brought messages for this long resets the backoff."""
    most_age: float = 23.5 * 3600
    """Binance closes at 24 hours."""
    overlap: float = 2.0
    """For which the old connection goes on after the new one is subscribed."""
    stragglers: float = 5.0
    """After the old one's end, for which the new one may still bring what the old one had."""
    timing: Timing = field(default_factory=Timing)


class Feed:
    """The streams of a changing set of symbols. ``run`` until cancelled; then ``close``."""

    def __init__(self, url: str, receiver: Receiver, pace: Pace | None = None, backoff: Backoff | None = None) -> None:
        """``url`` is the exchange's WebSocket, without a path."""
        self._url, self._receiver = url, receiver
        self._pace, self._backoff = pace or Pace(), backoff or Backoff()
        self._attempts = Attempts()
        self._wanted: tuple[str, ...] = ()
        self._wants = asyncio.Event()
        self._hurry = asyncio.Event()
        self._current: Link | None = None
        self._retiring: dict[Link, asyncio.Task[None]] = {}
        self._opening_beside = False
        self._stragglers_until = 0.0
        self.reconnects = 0
        self.error: str | None = None
        """Why there is no connection, in the exchange's or the system's words; None while there is one."""
        self.last_frame: int | None = None
        """When the last frame arrived, ms."""

    @property
    def connected_since(self) -> int | None:
        """When the present connection was opened, ms; None while there is none."""
        return self._current.opened_ms if self._current is not None and self._current.alive else None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols acknowledged by the exchange on the present connection."""
        if self._current is None or not self._current.alive:
            return ()
        return tuple(symbol for symbol in self._wanted if symbol in self._current.subscribed)

    @property
    def streamed_since(self) -> dict[str, int]:
        """From when on each of ``symbols`` is streamed without a break, ms."""
        since = {} if self._current is None else self._current.since
        return {symbol: since[symbol] for symbol in self.symbols}

    @property
    def pending(self) -> tuple[str, ...]:
        """Symbols asked for and not acknowledged."""
        got = self.symbols
        return tuple(symbol for symbol in self._wanted if symbol not in got)

    def want(self, symbols: Iterable[str]) -> None:
        """Stream exactly these from now on; with none, no connection is opened."""
        wanted = tuple(dict.fromkeys(symbols))
        if len(wanted) > MAX_STREAMS:
            log.warning("%d symbols asked for, %d fit a connection: the others are left out", len(wanted), MAX_STREAMS)
        self._wanted = wanted[:MAX_STREAMS]
        if self._wanted:
            self._wants.set()
        else:
            self._wants.clear()
        if self._current is not None:
            self._current.want(self._wanted)

    def reconnect(self) -> None:
        """Open a new connection now: at once where there is none, overlapping where there is one."""
        self._hurry.set()

    async def run(self) -> None:
        """Keep a connection while any symbol is wanted. Never returns by itself; raises what the receiver raised."""
        while True:
            old = self._current
            link = await self._connect()
            if old is not None and old.alive:
                link.since |= {symbol: at for symbol, at in old.since.items() if symbol in link.since}
                self._retiring[old] = asyncio.create_task(self._retire(old))
            await self._live(link)

    async def close(self) -> None:
        """Close every connection; what was received is delivered before this returns."""
        links = [link for link in (*self._retiring, self._current) if link is not None]
        for task in self._retiring.values():
            task.cancel()
        for end in await asyncio.gather(*(link.close() for link in links), return_exceptions=True):
            if isinstance(end, BaseException):  # of a receiver: ``run`` raised it, or nobody waits for it any more
                log.error("a connection did not end in good order", exc_info=end)

    async def _connect(self) -> Link:
        """Return a new connection, however many attempts it takes."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wants.wait()
            await asyncio.sleep(self._attempts.wait(loop.time()))
            self._attempts.note(loop.time())
            self._hurry.clear()
            # From the first byte of a second connection on, the same trade can come by both.
            self._opening_beside = self._current is not None and self._current.alive
            try:
                link = await Link.open(self._url, self._wanted, self._deliver, self._pace.timing)
            except (OSError, WebSocketException, ImportError) as error:
                # ImportError: a SOCKS proxy is configured and websockets' package for it is not installed.
                self._trouble(words(error, self._url))
                await self._pause()
                continue
            finally:
                self._opening_beside = False
            link.want(self._wanted)  # it may have changed meanwhile
            self._current = link
            self._hurry.clear()
            self.error = None
            log.info("connected to %s with %d symbols", self._url, len(self._wanted))
            return link

    async def _live(self, link: Link) -> None:
        """Wait until a connection has ended, or the next one is due."""
        end = asyncio.create_task(link.ended())
        due = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait((end, due), timeout=self._pace.most_age, return_when=asyncio.FIRST_COMPLETED)
            if end.done():
                end.result()
        finally:
            end.cancel()
            due.cancel()
        self.reconnects += 1
        if asyncio.get_running_loop().time() - link.opened >= self._pace.stable and link.messages:
            self._backoff.reset()
        if link.alive:
            log.info("opening a new connection before this one ends")
        else:
            self._trouble(link.why)
            await self._pause()

    async def _retire(self, old: Link) -> None:
        """Close the old connection once another has taken over and brings everything wanted."""
        try:
            taken_over = 0.0
            while old.alive and taken_over < self._pace.overlap:
                await old.ended(timeout=_RETIRE_CHECK)
                new = self._current
                taken_over = taken_over + _RETIRE_CHECK if new is not None and new.alive and new.settled else 0.0
            await old.close()
        finally:
            self._stragglers_until = asyncio.get_running_loop().time() + self._pace.stragglers
            self._retiring.pop(old, None)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._backoff.delay()):
                await self._hurry.wait()
        except TimeoutError:
            return

    def _trouble(self, why: str) -> None:
        self.error = clean(why)
        log.warning("feed: %s", self.error)

    def _overlapping(self) -> bool:
        """Tell whether a trade may come twice by our own doing."""
        if self._retiring or self._opening_beside:
            return True
        return self._stragglers_until > 0 and self._stragglers_until > asyncio.get_running_loop().time()

    def _deliver(self, link: Link, frame: bytes, received: int) -> Awaitable[Any] | None:
        self.last_frame = received
        result = decode(frame, received)
        receiver = self._receiver
        if isinstance(result, Trade):
            receiver.trade(result, frame, overlapping=self._overlapping())
        elif isinstance(result, Rejection):
            receiver.refused(result)
        elif isinstance(result, Control):
            link.control(result)
            if result.kind is ControlKind.SHUTDOWN and link is self._current:
                self._hurry.set()
            receiver.control(result)
        else:
            receiver.ignored()
        return receiver.room()


def words(error: BaseException, url: str) -> str:
    """Say why a connection could not be opened, in the words of the exchange or the system."""
    if isinstance(error, InvalidStatus):
        response = error.response
        body = clean_bytes(bytes(response.body or b""), 200)
        said = f"{url} answered HTTP {response.status_code} {response.reason_phrase}" + (f": {body}" if body else "")
        if response.status_code in (403, 451):
            said += " (the exchange refuses this address or region)"
        return said
    if isinstance(error, socket.gaierror):
        return f"{url}: the name cannot be resolved: {error.strerror}"
    if isinstance(error, ssl.SSLError):
        return f"{url}: TLS: {error}"
    if isinstance(error, TimeoutError):
        return f"{url}: no answer in time"
    return f"{url}: {error or type(error).__name__}"
