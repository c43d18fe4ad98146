"""The simulated exchange from outside: a real WebSocket client and a real HTTP client against the running process."""

import asyncio
import gzip
import json
import signal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from pipeline.exchange.malformed import KINDS
from tests.contract.exchange_process import ExchangeProcess, exchange, started

PAYLOAD_KEYS = ["e", "E", "s", "t", "p", "q", "T", "m", "M"]


def client(running: ExchangeProcess, path: str) -> connect:
    # With a bounded queue websockets' client stops reading while nobody receives, and would not see the end.
    return connect(f"ws://{running.address}{path}", compression=None, max_size=None, max_queue=None)


async def next_json(socket: ClientConnection) -> Any:
    async with asyncio.timeout(10):
        return json.loads(await socket.recv())


async def ids(socket: ClientConnection, count: int) -> list[int]:
    return [(await next_json(socket))["data"]["t"] for _ in range(count)]


async def everything(socket: ClientConnection) -> None:
    """Receive until the connection ends, or the caller's patience."""
    while True:
        await socket.recv()


async def get(running: ExchangeProcess, path: str, **params: str | int) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(f"http://{running.address}/api/v3/{path}", params=params)


def recording(path: Path, *frames: bytes, every_ms: int = 0, pause: tuple[int, int] = (0, 0)) -> Path:
    """Write a recording; ``pause`` is a frame's number and the extra ms before it."""
    times = [10**18 + (n * every_ms + (pause[1] if n >= pause[0] else 0)) * 10**6 for n in range(len(frames))]
    path.write_bytes(b"".join(b"%d %s\n" % line for line in zip(times, frames, strict=True)))
    return path


def trade(symbol: str, trade_id: int) -> bytes:
    return (
        f'{{"stream":"{symbol.lower()}@trade","data":{{"e":"trade","E":1723161255343,"s":"{symbol}","t":{trade_id},'
        f'"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}}}'
    ).encode()


async def test_the_streams_and_rest_tell_of_the_same_trades(tmp_path: Path) -> None:
    async with exchange(tmp_path, "--rate", "2000") as running:
        streams = "btcusdt@trade/" + quote("币安人生usdt@trade")
        async with client(running, f"/stream?streams={streams}") as socket:
            frames = [await next_json(socket) for _ in range(300)]
        assert {frame["stream"] for frame in frames} == {"btcusdt@trade", "币安人生usdt@trade"}
        assert all(list(frame) == ["stream", "data"] and list(frame["data"]) == PAYLOAD_KEYS for frame in frames)
        for symbol in ("BTCUSDT", "币安人生USDT"):
            sent = [frame["data"] for frame in frames if frame["data"]["s"] == symbol]
            answer = await get(running, "historicalTrades", symbol=symbol, fromId=sent[0]["t"], limit=len(sent))
            rows = answer.json()
            assert [row["id"] for row in rows] == [data["t"] for data in sent]
            for row, data in zip(rows, sent, strict=True):
                assert (row["price"], row["qty"], row["time"], row["isBuyerMaker"]) == (
                    data["p"],
                    data["q"],
                    data["T"],
                    data["m"],
                )
        assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "50"
        symbols = (await get(running, "exchangeInfo")).json()["symbols"]
        assert {"BTCUSDT", "币安人生USDT"} <= {symbol["symbol"] for symbol in symbols}
        refused = await get(running, "trades", symbol="NOSUCH")
        assert (refused.status_code, refused.json()) == (400, {"code": -1121, "msg": "Invalid symbol."})


async def test_raw_streams_microseconds_and_live_subscribing(tmp_path: Path) -> None:
    async with exchange(tmp_path, "--rate", "1000", "--symbols", "BTCUSDT,ETHUSDT") as running:
        async with client(running, "/ws/btcusdt@trade?timeUnit=MICROSECOND") as socket:
            payload = await next_json(socket)
            assert list(payload) == PAYLOAD_KEYS
            assert payload["E"] > 10**15
            assert payload["E"] % 1_000 == 0
        async with client(running, "/stream") as socket:
            subscribe = {"method": "SUBSCRIBE", "params": ["ethusdt@trade", "nosuch@trade"], "id": "one"}
            await socket.send(json.dumps(subscribe))
            # The answer comes before the first frame of what it is about.
            assert await next_json(socket) == {"result": None, "id": "one"}
            assert (await next_json(socket))["stream"] == "ethusdt@trade"
            await socket.send('{"method":"UNSUBSCRIBE","params":["ethusdt@trade"],"id":2}')
            while (answer := await next_json(socket)) != {"result": None, "id": 2}:
                assert answer["stream"] == "ethusdt@trade"
            await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":3}')
            assert await next_json(socket) == {"result": ["nosuch@trade"], "id": 3}
            await socket.send("nonsense")
            assert (await next_json(socket))["code"] == 3


async def test_too_many_messages_and_too_many_attempts(tmp_path: Path) -> None:
    async with exchange(tmp_path, "--connection-limit", "3") as running:
        async with client(running, "/ws") as socket:
            for _ in range(4):
                await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            await socket.ping()  # control frames count too
            await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            with pytest.raises(ConnectionClosedError) as closed:
                await everything(socket)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "Too many requests")
        with pytest.raises(InvalidStatus) as refused:
            async with client(running, "/nosuch"):
                pass
        assert refused.value.response.status_code == 400
        async with client(running, "/ws"):
            pass
        with pytest.raises(InvalidStatus) as refused:
            async with client(running, "/ws"):
                pass
        assert refused.value.response.status_code == 429


async def test_pings_must_be_answered_and_a_connection_does_not_live_for_ever(tmp_path: Path) -> None:
    flags = ("--ping-interval", "0.4", "--pong-timeout", "0.9", "--max-age", "3.5")
    async with (
        exchange(tmp_path, *flags) as running,
        client(running, "/ws") as deaf,
        client(running, "/ws") as hearing,
    ):
        deaf.transport.pause_reading()
        await running.stats(lambda stats: stats.clients == 1)
        deaf.transport.resume_reading()
        with pytest.raises(ConnectionClosedError, match="Pong timeout"):
            await deaf.recv()
        with pytest.raises(ConnectionClosedError, match=r"1008 .* disconnected"):
            await asyncio.wait_for(hearing.recv(), 5)


async def test_a_recording_arrives_byte_for_byte_and_the_end_is_told(tmp_path: Path, recorded: Path) -> None:
    path = recorded / "mixed-20s.frames.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines()
    frames = [line.split(b" ", 1)[1].decode() for line in lines]
    async with exchange(tmp_path, "--source", str(path), "--speed", "max") as running:
        assert [row["symbol"] for row in (await get(running, "exchangeInfo")).json()["symbols"]] == [
            "BTCUSDT",
            "ETHUSDT",
        ]
        assert (await get(running, "trades", symbol="BTCUSDT")).json() == []  # nothing has happened yet
        async with client(running, "/stream?streams=btcusdt@trade/ethusdt@trade") as socket:
            assert [await socket.recv() for _ in frames] == frames
            stats = await running.stats(lambda stats: stats.ended)
            assert (stats.total, stats.frames_sent, stats.withheld) == (len(frames), len(frames), 0)
            await (await socket.ping())  # still open
        of_btc = [json.loads(text)["data"] for text in frames if '"btcusdt@trade"' in text]
        rows = (await get(running, "historicalTrades", symbol="BTCUSDT", fromId=0, limit=1000)).json()
        assert [row["id"] for row in rows] == [data["t"] for data in of_btc]


async def test_a_recording_waits_for_a_client_that_comes_back(tmp_path: Path) -> None:
    frames = [trade("BTCUSDT" if n % 2 else "ETHUSDT", n) for n in range(12)]
    path = recording(tmp_path / "a.frames", *frames, every_ms=20, pause=(4, 2_000))
    async with exchange(tmp_path, "--source", str(path)) as running:
        async with client(running, "/stream?streams=btcusdt@trade") as socket:
            assert await ids(socket, 2) == [1, 3]
        await running.stats(lambda stats: stats.clients == 0)
        for _ in range(3):  # seconds in which it would have been over
            await running.stats()
        async with client(running, "/stream?streams=btcusdt@trade/ethusdt@trade") as socket:
            assert await ids(socket, 8) == list(range(4, 12))
            stats = await running.stats(lambda stats: stats.ended)
        assert (stats.total, stats.frames_sent, stats.withheld) == (12, 10, 2)


async def test_frames_can_be_lost_repeated_swapped_and_spoilt(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.frames", *(trade("BTCUSDT", n) for n in range(200)))
    faults = ("--fault", "drop:next=2", "--fault", "repeat:every=50", "--fault", f"malformed:next={len(KINDS) - 1}")
    async with exchange(tmp_path, "--source", str(path), "--speed", "max", *faults) as running:
        async with client(running, "/stream?streams=btcusdt@trade") as socket:
            stats = await running.stats(lambda stats: stats.ended)
            assert stats.faults == {"drop": 2, "repeat": 3, "malformed": len(KINDS) - 1}
            assert stats.frames_sent == 200 - 2 + 3 + len(KINDS) - 1
            received = [await socket.recv() for _ in range(stats.frames_sent)]
        sent = {trade("BTCUSDT", n).decode() for n in range(200)}
        real = [text for text in received if text in sent]
        assert len(real) == 201
        assert len(set(real)) == 198
        rows = (await get(running, "historicalTrades", symbol="BTCUSDT", fromId=0)).json()
        assert [row["id"] for row in rows[:3]] == [0, 1, 2]  # what was dropped is there


async def test_a_reset_comes_in_the_middle_of_a_frame_and_the_recording_goes_on(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.frames", *(trade("BTCUSDT", n) for n in range(100)), every_ms=10)
    async with exchange(tmp_path, "--source", str(path), "--fault", "reset:after=10") as running:
        received: list[int] = []

        async def receive(socket: ClientConnection) -> None:
            while True:
                received.extend(await ids(socket, 1))

        async with client(running, "/stream?streams=btcusdt@trade") as socket:
            with pytest.raises(ConnectionClosedError, match="no close frame received"):
                await receive(socket)
        assert received == list(range(len(received)))
        assert len(received) <= 10
        async with client(running, "/stream?streams=btcusdt@trade") as socket:
            assert await ids(socket, 90) == list(range(10, 100))
        assert (await running.stats(lambda stats: stats.ended)).faults == {"reset": 1}


async def test_silence_is_half_open(tmp_path: Path) -> None:
    async with (
        exchange(tmp_path, "--rate", "2000", "--symbols", "BTCUSDT") as running,
        client(running, "/stream?streams=btcusdt@trade") as socket,
    ):
        await socket.recv()
        await running.fault("silence", seconds=3)
        await running.stats(lambda stats: stats.faults == {"silence": 1})
        before = await ids(socket, 1)
        while True:  # what was sent before the silence
            try:
                before += await asyncio.wait_for(ids(socket, 1), 0.8)
            except TimeoutError:
                break
        pong = asyncio.ensure_future(await socket.ping())
        async with client(running, "/stream?streams=btcusdt@trade") as other:
            await other.recv()  # a new connection is served
        assert not pong.done()
        after = await ids(socket, 1)
        assert after[0] > before[-1] + 1  # what was missed is missed
        await asyncio.wait_for(pong, 5)


async def test_at_full_speed_a_recording_waits_for_a_silent_client(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.frames", *(trade("BTCUSDT", n) for n in range(2_000)))
    flags = ("--speed", "max", "--fault", "silence:after=10,seconds=0.5")
    async with (
        exchange(tmp_path, "--source", str(path), *flags) as running,
        client(running, "/stream?streams=btcusdt@trade") as socket,
    ):
        assert await ids(socket, 2_000) == list(range(2_000))
        assert (await running.stats(lambda stats: stats.ended)).faults == {"silence": 1}


async def test_a_readiness_probe_alarms_nobody(tmp_path: Path) -> None:
    async with exchange(tmp_path) as running:
        host, _, port = running.address.partition(":")
        for greeting in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"nonsense\r\n\r\n", b"GET /api/v3/pi"):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(greeting)
            writer.close()
            await writer.wait_closed()
        assert (await get(running, "ping")).status_code == 200
        await running.stats()  # no log line before it
        await running.stats()


async def test_a_shutdown_is_announced(tmp_path: Path) -> None:
    async with (
        exchange(tmp_path, "--rate", "500", "--symbols", "BTCUSDT") as running,
        client(running, "/stream?streams=btcusdt@trade") as socket,
    ):
        await socket.recv()
        await running.fault("shutdown", seconds=0.3)
        while (frame := await next_json(socket))["stream"] != "!serverShutdown":
            assert frame["stream"] == "btcusdt@trade"
        assert frame["data"]["e"] == "serverShutdown"
        assert (await next_json(socket))["stream"] == "btcusdt@trade"  # it goes on until the close
        async with client(running, "/stream?streams=btcusdt@trade") as other:
            with pytest.raises(ConnectionClosed, match="1001"):
                await everything(socket)
            await next_json(other)


async def test_connections_closed_at_once_and_rest_that_does_not_answer(tmp_path: Path) -> None:
    faults = ("--fault", "accept_close:next=2", "--fault", "rest_status:status=418,next=1,retry_after=120")
    async with exchange(tmp_path, *faults) as running:
        for _ in range(2):
            async with client(running, "/ws/btcusdt@trade") as socket:
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
        async with client(running, "/ws/btcusdt@trade") as socket:
            await socket.recv()
        banned = await get(running, "ping")
        assert (banned.status_code, banned.headers["Retry-After"]) == (418, "120")
        assert (await get(running, "ping")).status_code == 200
        await running.fault("rest_status", status=0)
        await running.fault("rest_status", status=0)
        async with httpx.AsyncClient(timeout=0.3, trust_env=False) as http:
            with pytest.raises(httpx.ReadTimeout):
                await http.get(f"http://{running.address}/api/v3/ping")
        assert (await get(running, "ping")).status_code == 200
        stats = await running.stats(lambda stats: stats.faults.get("rest_status") == 2)
        assert stats.faults == {"accept_close": 2, "rest_status": 2}


@pytest.mark.parametrize("how", ["SIGTERM", "end of standard input"])
async def test_it_stops_at_once_with_clients_connected(tmp_path: Path, how: str) -> None:
    async with exchange(tmp_path) as running, client(running, "/ws/btcusdt@trade") as socket:
        await socket.recv()
        if how == "SIGTERM":
            running.process.send_signal(signal.SIGTERM)
        else:
            assert running.process.stdin is not None
            running.process.stdin.close()
        assert await asyncio.wait_for(running.process.wait(), 5) == 0
        with pytest.raises(ConnectionClosed, match="1001"):
            await everything(socket)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--source", "{}/broken.frames"), "broken.frames, line 2: it does not begin with a receive time"),
        (("--source", "{}/nosuch.frames"), "No such file"),
        (("--symbols", "BTCUSDT,NOSUCH"), "no such market: NOSUCH"),
        (("--fault", "nosuch"), "there is no fault 'nosuch'"),
    ],
)
async def test_what_cannot_be_done_is_said(tmp_path: Path, flags: tuple[str, str], words: str) -> None:
    (tmp_path / "broken.frames").write_bytes(b"1 {}\nbroken\n")
    async with started(tmp_path, *(flag.format(tmp_path) for flag in flags)) as running:
        assert words in await running.failure()
        assert await running.process.wait() == 1


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    async with exchange(tmp_path) as running, started(tmp_path, "--port", running.address.split(":")[1]) as second:
        assert "address already in use" in await second.failure()
