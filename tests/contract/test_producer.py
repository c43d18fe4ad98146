"""The producer as the process that it is, between a small exchange, a small registry and a mock Kafka."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pipeline.child import now_ms
from pipeline.events import AnyChildEvent, Command, Failed, LogLine, ProducerStats, Ready
from pipeline.exchange.malformed import KINDS
from pipeline.model import PRODUCER_DLQ, TRADE_TOPIC, Reason
from pipeline.schemas.subjects import SUBJECTS
from tests.contract.exchange_process import exchange as simulated
from tests.contract.test_frames import EXPECTED
from tests.unit.producer.kafka_mock import MockCluster

ROOT = Path(__file__).parents[2]
_events = msgspec.json.Decoder(AnyChildEvent)
_patience = 20.0


@pytest.fixture(scope="module")
def cluster() -> MockCluster:
    return MockCluster()


def frame(trade_id: int, price: str = "1.5") -> str:
    now = now_ms()
    data = {
        "e": "trade", "E": now, "s": "BTCUSDT", "t": trade_id, "p": price, "q": "2", "T": now, "m": True, "M": True,
    }  # fmt: skip
    return json.dumps({"stream": "btcusdt@trade", "data": data})


class Servers:
    """The exchange and the registry of a test, on one loop."""

    def __init__(self) -> None:
        self.ws = self.http = ""
        self.registered: list[str] = []
        self.registry_away = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request as the registry or as the exchange's REST interface, and close."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line.split(":")[1]) for line in head.lower().split("\r\n") if "content-length" in line), 0)
        await reader.readexactly(length)
        method, path, _ = head.split(" ", 2)
        status, body = self.respond(method, path)
        data = json.dumps(body).encode()
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(data)) + data)
        await writer.drain()
        writer.close()

    def respond(self, method: str, path: str) -> tuple[int, Any]:
        if path.startswith("/api/v3/exchangeInfo"):
            return 200, {"symbols": [{"symbol": "BTCUSDT"}]}
        if self.registry_away:
            return 503, {"error_code": 50301, "message": "still waking up"}
        subject = path.split("/")[2]
        if path.endswith("/versions"):
            self.registered.append(subject)
            return 200, {"id": len(self.registered)}
        return 404, {"error_code": 40401, "message": "Subject not found."}


@asynccontextmanager
async def servers(handle: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[Servers]:
    state = Servers()

    async def handler(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await handle(connection)
            await connection.wait_closed()

    async with (
        serve(handler, "127.0.0.1", 0, compression=None, close_timeout=0.2) as exchange,
        await asyncio.start_server(state.answer, "127.0.0.1", 0) as http,
    ):
        state.ws = f"ws://127.0.0.1:{next(iter(exchange.sockets)).getsockname()[1]}"
        state.http = f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}"
        yield state


@asynccontextmanager
async def producer(
    state: Servers, kafka: str, home: Path, symbols: str = "BTCUSDT", rest: str | None = None
) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pipeline.producer",
        stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=home,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CRYPTOSTREAMX_HOME": str(home),
            "CRYPTOSTREAMX_SYMBOLS": symbols,
            "BINANCE_WS_URL": state.ws,
            "BINANCE_REST_URL": rest or state.http,
            "SCHEMA_REGISTRY_URL": state.http,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
        },
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def event(process: Process, matches: Callable[[Any], bool]) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(_patience):
        while line := await process.stdout.readline():
            found: AnyChildEvent = _events.decode(line)
            if matches(found):
                return found
    assert process.stderr is not None
    raise AssertionError(f"no such event; stderr: {await process.stderr.read()!r}")


async def last_stats(process: Process) -> ProducerStats:
    """Read to the end of the output; the last line but a failure is the final report."""
    assert process.stdout is not None
    lines = (await process.stdout.read()).splitlines()
    stats = [found for found in map(_events.decode, lines) if isinstance(found, ProducerStats)]
    return stats[-1]


def stats(matches: Callable[[ProducerStats], bool]) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, ProducerStats) and matches(found)


async def test_from_frame_to_kafka_and_an_orderly_end(cluster: MockCluster, tmp_path: Path) -> None:
    async def handle(connection: ServerConnection) -> None:
        for trade_id in range(100):
            await connection.send(frame(trade_id))
        await connection.send(frame(5))
        await connection.send(frame(500, price="NaN"))
        await connection.send("\x1b[31m")
        await connection.send('{"stream":"btcusdt@depth","data":{}}')

    async with servers(handle) as state, producer(state, cluster.bootstrap, tmp_path, "BTCUSDT,NOUSDT") as process:
        unknown = await event(process, lambda found: isinstance(found, LogLine))
        assert (unknown.reason, unknown.symbol) == ("unknown_symbol", "NOUSDT")
        report = await event(process, stats(lambda found: found.acknowledged == 100 and found.dead_letters == 3))
        assert state.registered == list(SUBJECTS)
        assert (report.frames, report.accepted, report.control, report.ignored) == (104, 100, 0, 1)
        assert report.refused == {"duplicate": 1, "bad_number": 1, "not_json": 1}
        assert (report.failed, report.in_flight, report.reconnects) == (0, 0, 0)
        assert (report.connected, report.symbols, report.pending, report.feed_error) == (True, ("BTCUSDT",), (), None)
        assert report.last_frame is not None

        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(Command(report_ids=True)) + b"\n")
        ids = await event(process, stats(lambda found: found.accepted_ids is not None))
        assert ids.accepted_ids == {"BTCUSDT": ((0, 99),)}

        process.send_signal(signal.SIGTERM)
        final = await last_stats(process)
        assert await process.wait() == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert (final.accepted, final.acknowledged, final.in_flight) == (100, 100, 0)
    assert len(cluster.read(TRADE_TOPIC, 100)) == 100
    assert len(cluster.read(PRODUCER_DLQ, 3)) == 3
    text = (tmp_path / "logs" / "producer.log").read_text()
    assert text.count(" refused: ") == 3
    assert "\x1b" not in text


async def test_the_end_of_standard_input_flushes_under_load(cluster: MockCluster, tmp_path: Path) -> None:
    async def handle(connection: ServerConnection) -> None:
        trade_id = 1_000_000
        while True:
            await connection.send(frame(trade_id))
            trade_id += 1
            await asyncio.sleep(0)

    async with servers(handle) as state, producer(state, cluster.bootstrap, tmp_path) as process:
        await event(process, stats(lambda found: found.accepted > 1000))
        assert process.stdin is not None
        process.stdin.close()
        final = await last_stats(process)
        assert await process.wait() == 0
        assert final.accepted == final.acknowledged > 1000
        assert final.failed == final.in_flight == 0


async def test_a_registry_that_is_away_is_waited_for(cluster: MockCluster, tmp_path: Path) -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.send(frame(2_000_000))

    async with servers(handle) as state:
        state.registry_away = True
        async with producer(state, cluster.bootstrap, tmp_path) as process:
            line = await event(process, lambda found: isinstance(found, LogLine))
            assert line.message.startswith("not ready: registry")
            assert "still waking up (code 50301)" in line.message
            state.registry_away = False
            await event(process, lambda found: isinstance(found, Ready))
            await event(process, stats(lambda found: found.acknowledged == 1))
            state.registry_away = True  # known ids go on
            await event(process, stats(lambda found: found.connected))


async def test_a_wrong_setting_is_the_reason_of_the_failure(tmp_path: Path) -> None:
    state = Servers()
    state.ws, state.http = "ws://127.0.0.1:1", "http://127.0.0.1:1"
    async with producer(state, "127.0.0.1:1", tmp_path, symbols="BTC/USDT") as process:
        failed = await event(process, lambda found: isinstance(found, Failed))
        assert "symbols" in failed.reason
        assert await process.wait() == 1


async def test_the_simulated_exchanges_faults_are_counted_and_nothing_is_missing(
    cluster: MockCluster, tmp_path: Path
) -> None:
    faults = ("--fault", f"malformed:next={len(KINDS)}", "--fault", "repeat:every=40", "--fault", "reorder:every=60")
    registry = Servers()
    async with (
        simulated(tmp_path, "--rate", "400", "--symbols", "BTCUSDT,ETHUSDT", *faults) as exchange,
        await asyncio.start_server(registry.answer, "127.0.0.1", 0) as http,
    ):
        registry.ws = f"ws://{exchange.address}"
        registry.http = f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}"
        async with producer(
            registry, cluster.bootstrap, tmp_path, "BTCUSDT,ETHUSDT", rest=f"http://{exchange.address}"
        ) as process:
            await event(process, stats(lambda found: found.accepted > 400))
            await exchange.fault("shutdown", seconds=4)
            await event(process, stats(lambda found: found.reconnects == 1 and found.ignored > 0))
            overlapped = await event(process, stats(lambda found: found.connected))
            await event(process, stats(lambda found: found.accepted > overlapped.accepted + 400))
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(Command(report_ids=True)) + b"\n")
            ids = (await event(process, stats(lambda found: found.accepted_ids is not None))).accepted_ids
            process.send_signal(signal.SIGTERM)
            final = await last_stats(process)
            assert await process.wait() == 0
    duplicates = final.refused.pop(Reason.DUPLICATE)
    assert duplicates > 0
    assert sum(final.refused.values()) == len(KINDS)
    assert final.refused == Counter(reason.value for reason in EXPECTED.values())
    assert (final.reconnects, final.failed, final.accepted) == (1, 0, final.acknowledged)
    assert final.dead_letters == duplicates + len(KINDS)
    assert set(ids) == {"BTCUSDT", "ETHUSDT"}
    # At most the trades that a reordering holds back just now are missing, at the very end.
    assert all(ranges[0][1] - ranges[0][0] > 100 and len(ranges) <= 2 for ranges in ids.values()), ids
