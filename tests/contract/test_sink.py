"""The sink between Kafka (librdkafka's mock cluster) and ClickHouse (the local process, really)."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, Producer, TopicPartition

from pipeline.child import now_ms
from pipeline.events import SinkStats
from pipeline.model import SINK_DLQ, TRADE_TOPIC, WINDOW_TOPICS, Source, Trade, Window
from pipeline.schemas.codec import TradeDecoder, TradeEncoder, WindowDecoder, WindowEncoder
from pipeline.schemas.registry import RegistryError
from pipeline.schemas.subjects import load_schema
from pipeline.settings import Settings
from pipeline.sink.builtin import TOPICS, Sink, consumer_config
from pipeline.sink.dlq import DeadLetters
from pipeline.sink.report import Report
from pipeline.sink.tables import Inserter
from pipeline.store.client import connect
from pipeline.store.ddl import apply
from tests.contract.clickhouse_server import LocalServer, local_server

T0 = 1_723_161_250_123


def trade(number: int, symbol: str = "BTCUSDT", price: float = 61_837.63) -> Trade:
    at = T0 + number
    return Trade("trade", at, symbol, number, price, 0.25, at - 1, True, True, at + 40, Source.WS)


class Killed(BaseException):
    """Ends a life of the sink on the spot."""


class FakeRegistry:
    """Knows schema 1 (trades) and 2 (windows); can be away."""

    def __init__(self) -> None:
        self.away = False

    def schema(self, schema_id: int) -> dict[str, Any]:
        if self.away:
            raise RegistryError(0, "connection refused", "", f"read schema {schema_id}", "http://registry")
        if schema_id not in (1, 2):
            raise RegistryError(40403, "Schema not found", "", f"read schema {schema_id}", "http://registry")
        return load_schema({1: "binance_trade", 2: "binance_trade_agg"}[schema_id])


class Rig:
    """A sink in a thread, what it writes to, and what it reported."""

    def __init__(self, kafka: str, settings: Settings) -> None:
        self.kafka = kafka
        self.settings = settings
        self.registry = FakeRegistry()
        self.stats: list[SinkStats] = []
        self.producer = Producer({"bootstrap.servers": kafka})
        self.reader = Consumer(
            {"bootstrap.servers": kafka, "group.id": "cryptostreamx-sink", "auto.offset.reset": "earliest"}
        )
        self.sink: Sink | None = None
        self.thread: threading.Thread | None = None

    def start(self, **options: Any) -> None:
        report = Report(self.stats.append, lambda: None, time.monotonic, now_ms)
        window = WindowDecoder(self.registry)  # type: ignore[arg-type]
        decoders: dict[str, Any] = {TRADE_TOPIC: TradeDecoder(self.registry)}  # type: ignore[arg-type]
        decoders |= dict.fromkeys(WINDOW_TOPICS.values(), window)
        base = {"bootstrap.servers": self.kafka}
        self.sink = Sink(
            Consumer(consumer_config(base) | {"topic.metadata.refresh.interval.ms": 500}),
            decoders,
            Inserter(lambda: connect(self.settings, 10)),
            DeadLetters(base),
            report,
            linger=0.1,
            **options,
        )
        self.thread = threading.Thread(target=self._live, args=(self.sink,), daemon=True)
        self.thread.start()

    @staticmethod
    def _live(sink: Sink) -> None:
        with contextlib.suppress(Killed):
            sink.run()

    def stop(self) -> None:
        assert self.sink is not None
        assert self.thread is not None
        self.sink.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def send(self, topic: str, *values: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> None:
        for value in values:
            self.producer.produce(topic, key=b"BTCUSDT", value=value, headers=headers, partition=0)
        assert self.producer.flush(10) == 0

    def committed(self, topic: str = TRADE_TOPIC) -> int:
        return int(self.reader.committed([TopicPartition(topic, 0)], timeout=10)[0].offset)

    def letters(self, count: int) -> list[Any]:
        partitions = self.reader.list_topics(SINK_DLQ, timeout=10).topics[SINK_DLQ].partitions
        self.reader.assign([TopicPartition(SINK_DLQ, partition, 0) for partition in partitions])
        return list(self.reader.consume(count, 10))


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with local_server(tmp_path_factory.mktemp("clickhouse")) as server:
        assert server.start()["event"] == "ready"
        yield server


@pytest.fixture
def client(server: LocalServer) -> Iterator[Client]:
    client = connect(server.settings)
    client.command("DROP DATABASE IF EXISTS crypto SYNC")
    apply(client, "clickhouse", lambda *_: None)
    yield client
    client.close()


@pytest.fixture
def rig(server: LocalServer, client: Client) -> Iterator[Rig]:
    # The mock cluster lives as long as the client that asked for it.
    owner = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    broker = next(iter(owner.list_topics(timeout=10).brokers.values()))
    rig = Rig(f"{broker.host}:{broker.port}", server.settings)
    for topic in (*TOPICS, SINK_DLQ):
        owner.list_topics(topic, timeout=10)  # makes it
    yield rig
    if rig.thread is not None and rig.thread.is_alive():
        rig.stop()
    rig.reader.close()


def count(client: Client, table: str = TRADE_TOPIC) -> int:
    return int(client.query(f"SELECT count() FROM crypto.{table}").result_rows[0][0])


def test_trades_and_windows_arrive_and_are_committed_after_that(rig: Rig, client: Client) -> None:
    encode, window = TradeEncoder(1), Window("BTCUSDT", 60_000, 120_000, 3, 1.5, 2.0, 1.0, 3.0, 1.0, 3.0, 2.25)
    rig.start()
    rig.send(TRADE_TOPIC, *(encode(trade(n)) for n in range(500)))
    rig.send(WINDOW_TOPICS["1m"], WindowEncoder(2)(window))
    until(lambda: rig.committed() == 500 and rig.committed(WINDOW_TOPICS["1m"]) == 1)
    assert count(client) == 500
    row = client.query("SELECT * FROM crypto.binance_trade WHERE trade_id = 7").result_rows[0]
    assert row == ("trade", T0 + 7, "BTCUSDT", 7, 61_837.63, 0.25, T0 + 6, True, True, T0 + 47, "ws")
    (row,) = client.query("SELECT * FROM crypto.binance_trade_agg_1m").result_rows
    assert row == ("BTCUSDT", 60_000, 120_000, 3, 1.5, 2.0, 1.0, 3.0, 1.0, 3.0, 2.25)
    until(lambda: bool(rig.stats) and rig.stats[-1].lag == 0)
    rig.stop()
    assert rig.stats[-1].inserted == {TRADE_TOPIC: 500, WINDOW_TOPICS["1m"]: 1}
    assert rig.stats[-1].waiting is None


def test_only_the_bad_records_become_dead_letters(rig: Rig, client: Client) -> None:
    client.command("ALTER TABLE crypto.binance_trade ADD CONSTRAINT known CHECK symbol != 'EVILUSDT'")
    encode = TradeEncoder(1)
    good = [encode(trade(n)) for n in range(100)]
    evil = encode(trade(100, "EVILUSDT"))
    rig.send(TRADE_TOPIC, *good[:50])
    rig.send(TRADE_TOPIC, evil, headers=[("own", b"header")])
    rig.send(TRADE_TOPIC, b"\x00\x00\x00\x00\x01cut", None, b"\x00\x00\x00\x00\x63unknown id")
    rig.send(TRADE_TOPIC, *good[50:])
    rig.start()
    until(lambda: rig.committed() == 104)
    assert count(client) == 100
    letters = rig.letters(3)
    assert [m.value() for m in letters] == [b"\x00\x00\x00\x00\x01cut", b"\x00\x00\x00\x00\x63unknown id", evil]
    names = ["topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name"]
    names += ["exception.class.name", "exception.message", "exception.stacktrace"]
    headers = letters[2].headers()
    assert [key for key, _ in headers] == ["own", *(f"__connect.errors.{name}" for name in names)]
    values = {key.removeprefix("__connect.errors."): value.decode() for key, value in headers}
    assert (values["topic"], values["partition"], values["offset"]) == (TRADE_TOPIC, "0", "50")
    assert values["stage"] == "TASK_PUT"
    assert "Code: 469" in values["exception.stacktrace"].rpartition("Caused by: ")[2]
    assert dict(letters[0].headers())["__connect.errors.stage"] == b"VALUE_CONVERTER"
    assert letters[2].key() == b"BTCUSDT"
    rig.stop()
    assert rig.stats[-1].dead_letters == 3


def test_it_waits_for_the_registry_and_for_a_missing_table_without_dead_letters(rig: Rig, client: Client) -> None:
    client.command("RENAME TABLE crypto.binance_trade TO crypto.hidden")
    rig.registry.away = True
    rig.send(TRADE_TOPIC, *(TradeEncoder(1)(trade(n)) for n in range(10)))
    rig.start()
    until(lambda: any("connection refused" in (s.waiting or "") for s in rig.stats))
    rig.registry.away = False
    until(lambda: any("UNKNOWN_TABLE" in (s.waiting or "") for s in rig.stats))
    assert rig.committed() < 0
    client.command("RENAME TABLE crypto.hidden TO crypto.binance_trade")
    until(lambda: rig.committed() == 10)
    assert count(client) == 10
    until(lambda: rig.stats[-1].waiting is None)
    assert rig.stats[-1].dead_letters == 0


def test_killed_clickhouse_loses_nothing_and_is_waited_for(rig: Rig, client: Client, server: LocalServer) -> None:
    encode = TradeEncoder(1)
    rig.start()
    rig.send(TRADE_TOPIC, *(encode(trade(n)) for n in range(1000)))
    until(lambda: rig.committed() == 1000)
    port = int(server.url.rpartition(":")[2])
    server.end(signal.SIGKILL)
    rig.send(TRADE_TOPIC, *(encode(trade(n)) for n in range(1000, 2000)))
    until(lambda: bool(rig.stats) and rig.stats[-1].waiting is not None)
    assert rig.committed() == 1000
    assert server.start(port)["event"] == "ready"
    until(lambda: rig.committed() == 2000)
    assert client.query("SELECT uniqExact(trade_id) FROM crypto.binance_trade").result_rows[0][0] == 2000
    assert rig.stats[-1].dead_letters == 0


def test_rows_between_insert_and_commit_come_again_and_are_one_row(rig: Rig, client: Client) -> None:
    reached, let_go = threading.Event(), threading.Event()

    def hang() -> None:
        reached.set()
        let_go.wait(30)
        raise Killed

    rig.start(after_insert=hang)
    rig.send(TRADE_TOPIC, *(TradeEncoder(1)(trade(n)) for n in range(50)))
    assert reached.wait(20)
    inserted = count(client)
    assert inserted > 0
    assert rig.committed() < 0
    first = rig.thread
    assert first is not None
    let_go.set()
    first.join(10)
    assert not first.is_alive()
    assert rig.committed() < 0
    rig.start()
    until(lambda: rig.committed() == 50)
    assert count(client) >= 50
    assert client.query("SELECT count() FROM crypto.binance_trade FINAL").result_rows[0][0] == 50


def test_the_process_is_ready_waits_in_words_and_ends_with_its_parent(rig: Rig, tmp_path: Path) -> None:
    away = {"SCHEMA_REGISTRY_URL": "http://127.0.0.1:9", "CLICKHOUSE_URL": "http://127.0.0.1:9"}
    environment = os.environ | away | {"KAFKA_BOOTSTRAP_SERVERS": rig.kafka, "CRYPTOSTREAMX_HOME": str(tmp_path)}
    rig.send(TRADE_TOPIC, TradeEncoder(1)(trade(1)))
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.sink"],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            events = (json.loads(line) for line in iter(process.stdout.readline, b""))
            assert any(event["event"] == "ready" for event in events)
            assert "could not read schema 1" in next(e for e in events if e.get("waiting"))["waiting"]
            process.stdin.close()
            last = list(events)[-1]
            assert last["event"] == "sink"
            assert process.wait(20) == 0
        finally:
            if process.poll() is None:
                process.kill()
    assert rig.committed() < 0
