"""A WebSocket server with Binance's requests, for tests: what it does with a connection is the test's to say."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pipeline.child import now_ms

__all__ = ["Exchange", "ServerConnection", "exchange", "frame", "until"]


def frame(trade_id: int, symbol: str = "BTCUSDT") -> str:
    now = now_ms()
    data = {
        "e": "trade", "E": now, "s": symbol, "t": trade_id, "p": "1.5", "q": "2", "T": now, "m": True, "M": True,
    }  # fmt: skip
    return json.dumps({"stream": f"{symbol.lower()}@trade", "data": data}, separators=(",", ":"), ensure_ascii=False)


class Exchange:
    """What the server side of a test sees and can do."""

    def __init__(self) -> None:
        self.server: Server
        self.paths: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.connections: list[ServerConnection] = []
        self.answers = True

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}"

    async def commands(self, connection: ServerConnection) -> None:
        """Note requests and acknowledge them, until the connection ends."""
        async for message in connection:
            request = json.loads(message)
            self.requests.append(request)
            if self.answers:
                result: list[str] | None = [] if request["method"] == "LIST_SUBSCRIPTIONS" else None
                await connection.send(json.dumps({"result": result, "id": request["id"]}))


Serve = Callable[[Exchange, ServerConnection], Awaitable[None]]


@asynccontextmanager
async def exchange(handle: Serve) -> AsyncIterator[Exchange]:
    state = Exchange()

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        state.paths.append(connection.request.path)
        state.connections.append(connection)
        with suppress(ConnectionClosed):
            await handle(state, connection)

    async with serve(handler, "127.0.0.1", 0, compression=None, close_timeout=0.2, ping_interval=None) as server:
        state.server = server
        yield state


async def until(condition: Callable[[], object], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the conditions are plain state, read from outside
            await asyncio.sleep(0.005)
