"""The server in this process, where its inside matters; ``tests/contract`` speaks to the whole of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from pipeline.exchange import websocket
from pipeline.exchange.faults import FaultPlan
from pipeline.exchange.ledger import Ledger
from pipeline.exchange.rest import Rest
from pipeline.exchange.trades import Frame
from pipeline.exchange.websocket import StreamServer


@asynccontextmanager
async def serving(server: StreamServer) -> AsyncIterator[str]:
    serving = await server.start(0)
    try:
        yield f"ws://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
    finally:
        serving.close()
        await serving.wait_closed()


def stream_server() -> StreamServer:
    return StreamServer(Rest(Ledger([]), {}), FaultPlan(1), lambda stream: stream.partition("@")[0])


def client(address: str, stream: str = "a@trade") -> connect:
    return connect(f"{address}/stream?streams={stream}", max_size=None, close_timeout=1)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 1_000_000])
async def test_frames_of_any_size_arrive(size: int) -> None:
    server = stream_server()
    async with serving(server) as address, client(address) as socket:
        await server.listener(hearing=False)
        assert server.publish([Frame("a", b"x" * size)]) == 1
        assert await socket.recv() == "x" * size
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


async def test_each_connection_gets_its_own_symbols_and_the_rest_is_withheld() -> None:
    server = stream_server()
    async with serving(server) as address, client(address, "a@trade") as one, client(address, "a@trade/b@x") as two:
        for socket in (one, two):  # an answer comes after the connection was taken in
            await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            assert '"id":1' in str(await socket.recv())
        frames = [Frame("a", b"1"), Frame("b", b"2"), Frame("c", b"3"), Frame(None, b"4")]
        assert server.publish(frames) == 4
        assert [await one.recv() for _ in range(2)] == ["1", "4"]
        assert [await two.recv() for _ in range(3)] == ["1", "2", "4"]
        assert (server.frames_sent, server.withheld, server.clients) == (3, 1, 2)


async def test_nothing_is_taken_while_nobody_listens() -> None:
    server = stream_server()
    async with serving(server) as address:
        assert server.publish([Frame("a", b"1")]) == 0
        waiting = asyncio.create_task(server.listener(hearing=False))
        async with connect(f"{address}/ws") as socket:
            await socket.send('{"method":"SUBSCRIBE","params":["a@trade"],"id":1}')
            assert await waiting
            assert not await server.listener(hearing=False)
        assert (server.frames_sent, server.withheld) == (0, 0)


async def test_a_client_that_does_not_read_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(websocket, "MAX_UNSENT", 1_000_000)
    server = stream_server()

    async def receive_all(socket: ClientConnection) -> None:
        while True:
            await socket.recv()

    async with serving(server) as address, client(address) as socket:
        await server.listener(hearing=False)
        socket.transport.pause_reading()
        for _ in range(100):
            server.publish([Frame("a", b"x" * 500_000)])
            await asyncio.sleep(0)
        assert server.frames_sent < 100
        assert "it reads too slowly" in caplog.text
        socket.transport.resume_reading()
        with pytest.raises(ConnectionClosedError):
            await receive_all(socket)
