"""The running instance's side of the socket: tells everybody who watches, waits for nobody, takes orders.

A watcher that does not read is cut off rather than waited for or told only a part: when it comes again, it is told the
present as a whole.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from pipeline.attach import place
from pipeline.attach.lines import READ, Answer, AnyOrder, Hello, Told, line_of, order_in
from pipeline.attach.present import Present
from pipeline.child import now_ms
from pipeline.events import StackEvent
from pipeline.home import Home
from pipeline.text import clean

UNREAD_BYTES = 8 * 1024 * 1024
"""What may lie unread for one watcher before it is cut off."""
LONGEST_ORDER = 64 * 1024
WATCHERS = 16
"""At a time; another one is turned away."""

Obey = Callable[[AnyOrder], Awaitable[None]]
_log = logging.getLogger(__name__)


class Broadcast:
    """One instance's socket. Every method belongs to the event loop's thread."""

    def __init__(self, home: Home, hello: Callable[[], Hello], obey: Obey) -> None:
        """``hello`` is asked when somebody comes; ``obey`` carries out an order, and raises where it cannot."""
        self._home = home
        self._hello = hello
        self._obey = obey
        self._present = Present()
        self._server: asyncio.Server | None = None
        self._watchers: set[Watcher] = set()
        self._unsent: set[type] = set()
        """Classes of events that could not be encoded, each told once."""

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: the socket cannot be made.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Watcher(self), sock=place.bind(self._home))

    def close(self) -> None:
        """Take leave of everybody who watches, and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for watcher in tuple(self._watchers):
            watcher.leave()
        place.clear(self._home)

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def publish(self, event: StackEvent) -> None:
        """Tell an event to whoever watches; never waits."""
        if isinstance(event, READ):
            return
        self._present.apply(event)
        if self._watchers and (line := self._encoded(event)) is not None:
            for watcher in tuple(self._watchers):
                watcher.tell(line)

    def came(self, watcher: "Watcher") -> None:
        """Tell somebody who came how things stand, and from now on what happens."""
        if len(self._watchers) >= WATCHERS:
            watcher.cut("too many watch already")
            return
        watcher.tell(line_of(self._hello()))
        for event in self._present.events(now_ms()):
            if (line := self._encoded(event)) is not None:
                watcher.tell(line)
        self._watchers.add(watcher)

    def went(self, watcher: "Watcher") -> None:
        """Forget somebody who went."""
        self._watchers.discard(watcher)

    async def carry_out(self, order: AnyOrder) -> Answer:
        """Do what a watcher asked for; what it raises becomes the answer."""
        _log.info("a watcher asks: %s", clean(repr(order)))
        try:
            await self._obey(order)
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked must be told, and the pipeline goes on
            return Answer(order.number, clean(f"{type(error).__name__}: {error}"))
        return Answer(order.number)

    def _encoded(self, told: Told) -> bytes | None:
        try:
            return line_of(told)
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            if type(told) not in self._unsent:
                self._unsent.add(type(told))
                _log.error("watchers are not told of %s: %s", type(told).__name__, error)
            return None


class Watcher(asyncio.Protocol):
    """One connection."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._orders: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._broadcast.came(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """Somebody went. What was ordered is carried out all the same."""
        self._transport = None
        self._broadcast.went(self)

    def data_received(self, data: bytes) -> None:
        """Take orders."""
        *lines, self._received = (self._received + data).split(b"\n")
        if len(self._received) > LONGEST_ORDER:
            self.cut("an order without an end")
            return
        for line in lines:
            try:
                order = order_in(line)
            except msgspec.MsgspecError as error:
                self.cut(f"an order that is none: {error}")
                return
            task = asyncio.get_running_loop().create_task(self._carry_out(order))
            self._orders.add(task)
            task.add_done_callback(self._orders.discard)

    async def _carry_out(self, order: AnyOrder) -> None:
        self.tell(line_of(await self._broadcast.carry_out(order)))

    def tell(self, line: bytes) -> None:
        """Send a line, or cut the watcher off where too much lies unread."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(line)
        if self._transport.get_write_buffer_size() > UNREAD_BYTES:
            self.cut("it does not read")

    def cut(self, reason: str) -> None:
        """End the connection at once."""
        _log.warning("a watcher is cut off: %s", clean(reason))
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """End the connection once it has been told everything, but do not wait for that."""
        if self._transport is not None:
            self._transport.close()
