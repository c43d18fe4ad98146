"""The server: handshakes, REST calls on the same port, frames to connections in batches, faults done to connections.

It knows neither where frames come from (``sources``) nor what a trade is. One port serves WebSocket and REST, as a
plain HTTP GET and an opening handshake begin alike.

Every frame is prepared once, header included, and a batch goes to a connection in one write: with ``await
connection.send(frame)`` for each frame the server would be the slowest part by far (``benchmarks/exchange.py``).
permessage-deflate is not offered: it would have to be done per connection.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import State

from pipeline.child import now_ms
from pipeline.exchange.connection import TIMING, Connection, Timing, wire_text
from pipeline.exchange.faults import Action, FaultPlan
from pipeline.exchange.limits import ATTEMPTS_WINDOW_S, CONNECTION_ATTEMPTS, SlidingLimit
from pipeline.exchange.protocol import RefusedError, open_session, server_shutdown
from pipeline.exchange.query import error_body
from pipeline.exchange.rest import PREFIX, Rest
from pipeline.exchange.trades import Frame, rendered
from pipeline.text import clean

HOST = "127.0.0.1"
MAX_UNSENT = 64 * 1024 * 1024
"""Bytes that may wait for a slow client before it is disconnected."""
_LONGEST_HANDSHAKE_S = 120

log = logging.getLogger(__name__)


class StreamServer:
    """All connections, and the one way frames take to them."""

    def __init__(
        self,
        rest: Rest,
        plan: FaultPlan,
        routed: Callable[[str], str | None],
        *,
        timing: Timing = TIMING,
        connection_limit: int = CONNECTION_ATTEMPTS,
    ) -> None:
        """``routed`` gives the symbol (lower case) whose frames a stream's name asks for, or None for none."""
        self.plan = plan
        self.frames_sent = 0
        """Data frames; one that goes to several connections counts once, one lost on its way out counts too.

        Frames handed in = sent + withheld + ``drop`` - ``repeat`` - ``malformed``.
        """
        self.withheld = 0
        """Frames handed in that nobody was subscribed to, while somebody was to others."""
        self._rest = rest
        self._routed = routed
        self._timing = timing
        self._attempts = SlidingLimit(connection_limit, ATTEMPTS_WINDOW_S)
        self._connections: set[Connection] = set()
        self._somebody_listens = asyncio.Event()

    async def start(self, port: int) -> Server:
        """Bind to loopback and serve.

        Raises:
            OSError: the port is taken.
        """
        return await serve(
            self._converse,
            HOST,
            port,
            process_request=self._process_request,
            create_connection=Connection,
            compression=None,
            server_header=None,
            open_timeout=_LONGEST_HANDSHAKE_S,  # a REST call is a handshake to websockets, and may be told to hang
            ping_interval=None,  # Connection.keep_alive
            close_timeout=1,
            write_limit=256 * 1024,
        )

    @property
    def clients(self) -> int:
        """Open connections."""
        return sum(connection.state is State.OPEN for connection in self._connections)

    @property
    def audience(self) -> frozenset[str]:
        """Symbols (lower case) that somebody is subscribed to."""
        return frozenset[str]().union(*(connection.symbols for connection in self._listening()))

    async def listener(self, *, hearing: bool) -> bool:
        """Wait until a connection has a subscription; tell whether one had to be waited for.

        With ``hearing``, one that was made silent does not count.
        """
        waited = False
        while not any(not (hearing and connection.silent) for connection in self._listening()):
            waited = True
            self._somebody_listens.clear()
            await self._somebody_listens.wait()
        return waited

    def publish(self, frames: Sequence[Frame]) -> int:
        """Send a batch to everyone it concerns, up to the next planned action, and do that.

        Return how many frames were taken: 0 where nobody is subscribed to anything.
        """
        audience = self.audience
        if not audience:
            return 0
        room = self.plan.until_action()
        part = frames if room is None else frames[: max(1, room)]
        wanted = [frame for frame in part if frame.symbol is None or frame.symbol in audience]
        self.withheld += len(part) - len(wanted)
        self._send(self.plan.frames(wanted))
        for action in self.plan.actions(len(wanted)):
            self.act(action)
        return len(part)

    def flush(self) -> None:
        """Send what the plan still holds back: no frame follows."""
        self._send(self.plan.rest_of_frames())

    async def drain(self) -> None:
        """Wait until every client has taken enough for more to be sent (TCP's back-pressure)."""
        taken = [connection.drain() for connection in self._listening() if not connection.silent]
        for result in await asyncio.gather(*taken, return_exceptions=True):
            if isinstance(result, OSError):  # that connection broke; its own handler ends it
                log.info("a client went away: %s", clean(str(result)))
            elif isinstance(result, BaseException):
                raise result

    def act(self, action: Action) -> None:
        """Do a fault to all connections that are open now."""
        for connection in list(self._connections):
            if connection.state is not State.OPEN or connection.silent:
                continue
            self.plan.made[action.name] += 1
            match action.name:
                case "reset":
                    connection.reset()
                case "silence":
                    connection.fall_silent(action.seconds)
                    connection.loop.call_later(action.seconds, self._somebody_listens.set)
                case "shutdown":
                    session = connection.session
                    event = server_shutdown(now_ms(), combined=session.combined, microseconds=session.microseconds)
                    connection.transport.write(wire_text(event))
                    connection.loop.call_later(
                        action.seconds, connection.close_soon, CloseCode.GOING_AWAY, "server shutdown"
                    )

    def _send(self, frames: Sequence[Frame]) -> None:
        prepared: dict[tuple[bool, bool], list[bytes]] = {}
        for connection in self._listening() if frames else ():
            if connection.silent:
                continue
            combined, microseconds = form = connection.session.combined, connection.session.microseconds
            if form not in prepared:
                prepared[form] = [
                    wire_text(rendered(frame.text, combined=combined, microseconds=microseconds)) for frame in frames
                ]
            symbols = connection.symbols
            connection.transport.write(
                b"".join(
                    [
                        data
                        for data, frame in zip(prepared[form], frames, strict=True)
                        if frame.symbol is None or frame.symbol in symbols
                    ]
                )
            )
            unsent = connection.transport.get_write_buffer_size()
            if unsent > MAX_UNSENT:
                log.warning("a client was disconnected: %d bytes wait for it, it reads too slowly", unsent)
                connection.transport.abort()
        self.frames_sent += len(frames)

    def _listening(self) -> list[Connection]:
        return [connection for connection in self._connections if connection.listening]

    async def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, Connection)
        if request.path.startswith(PREFIX):
            return await self._rest_reply(connection, request.path)
        if "Upgrade" not in request.headers:
            return None  # websockets answers 426
        if not self._attempts.allows(connection.loop.time()):
            log.warning("a connection was refused: too many attempts in 5 minutes")
            return _response(429, b"Too many connection attempts.", {"Content-Type": "text/plain"})
        try:
            connection.session = open_session(request.path)
        except RefusedError as error:
            return _response(400, str(error).encode(), {"Content-Type": "text/plain; charset=utf-8"})
        return None

    async def _rest_reply(self, connection: Connection, target: str) -> Response:
        fault = self.plan.rest()
        if fault is None:
            reply = self._rest.answer(target, now_ms())
            return _response(reply.status, reply.body, reply.headers)
        if fault.status == 0:
            await connection.wait_closed()  # no answer: until the client gives up
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return _response(fault.status or 503, error_body(-1003 if fault.status < 500 else -1001, "simulated"), headers)

    async def _converse(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        if self.plan.accept_close():
            await connection.close(CloseCode.GOING_AWAY)
            return
        self._connections.add(connection)
        self._follow(connection)
        pings = asyncio.create_task(connection.keep_alive(self._timing))
        # 1008 "disconnected" is what users of Binance report at the end of the 24 hours.
        end = connection.loop.call_later(
            self._timing.max_age, connection.close_soon, CloseCode.POLICY_VIOLATION, "disconnected"
        )
        try:
            async for message in connection:
                # The answer goes first; only then may frames of a new stream follow.
                await connection.send(connection.session.answer(message), text=True)
                self._follow(connection)
        except ConnectionClosed as closed:
            log.info("a connection ended: %s", clean(str(closed)))
        finally:
            end.cancel()
            pings.cancel()
            self._connections.discard(connection)

    def _follow(self, connection: Connection) -> None:
        """Take over what the connection's session is subscribed to."""
        symbols = (self._routed(stream) for stream in connection.session.streams)
        connection.symbols = frozenset(symbol for symbol in symbols if symbol is not None)
        if connection.listening:
            self._somebody_listens.set()


def _response(status: int, body: bytes, headers: dict[str, str]) -> Response:
    fields = Headers(
        {
            "Date": formatdate(usegmt=True),
            "Connection": "close",
            "Content-Length": str(len(body)),
            "Content-Type": "application/json;charset=UTF-8",
        }
    )
    for name, value in headers.items():
        if name in fields:
            del fields[name]
        fields[name] = value
    phrase = HTTPStatus(status).phrase
    return Response(status, phrase, fields, body)
