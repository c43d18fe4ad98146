import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from pipeline.broker import reader as module
from pipeline.broker.reader import LAST_RECORDS, Reader
from pipeline.broker.records import TOPICS
from pipeline.events import ReaderTrouble, TradesRead
from pipeline.schemas.registry import RegistryError
from pipeline.settings import Settings
from tests.unit.broker.fakes import Metadata, Partition, Topic
from tests.unit.broker.test_records import Record, decode_trade, decode_window


class Taken(Record):
    """A record as the consumer hands it over."""

    def error(self) -> None:
        return None


class Consumer:
    """The client library's consumer, on batches that a test puts in."""

    def __init__(self) -> None:
        self.partitions = dict.fromkeys(TOPICS, 1)
        self.ends: dict[tuple[str, int], int] = {}
        self.batches: queue.Queue[list[Any]] = queue.Queue()
        self.assigned: list[dict[tuple[str, int], int]] = []
        self.down: KafkaError | None = None
        self.closed = threading.Event()
        self.on_error: Callable[[KafkaError], None] = lambda _error: None

    def list_topics(self, timeout: float) -> Metadata:
        assert timeout <= 1
        if self.down is not None:
            raise KafkaException(self.down)
        counts = dict(self.partitions)
        return Metadata(
            topics={name: Topic({n: Partition(0, [0], [0]) for n in range(count)}) for name, count in counts.items()}
        )

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        assert timeout <= 1
        return 0, self.ends.get((place.topic, place.partition), 0)

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned.append({(place.topic, place.partition): place.offset for place in places})

    def consume(self, _count: int, timeout: float) -> list[Any]:
        try:
            return self.batches.get(timeout=timeout)
        except queue.Empty:
            return []

    def close(self) -> None:
        self.closed.set()


class Running:
    """A reader at work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.consumer = Consumer()
        self.registry_away = False
        self.config: dict[str, Any] = {}
        self.events: list[Any] = []
        self._arrived = threading.Condition()

        def make(config: dict[str, Any], logger: object) -> Consumer:
            self.config = config
            self.consumer.on_error = config["error_cb"]
            return self.consumer

        def decode(data: bytes) -> Any:
            if self.registry_away:
                raise RegistryError(0, "connection refused", "", "read schema 1", "http://registry")
            return decode_trade(data)

        monkeypatch.setattr(module, "Consumer", make)
        monkeypatch.setattr(module, "TradeDecoder", lambda _registry: decode)
        monkeypatch.setattr(module, "WindowDecoder", lambda _registry: decode_window)
        monkeypatch.setattr(module, "RETRY_S", 0.05)
        settings = Settings.load(
            {"kafka_bootstrap_servers": "127.0.0.1:1", "schema_registry_url": "http://127.0.0.1:1"}, env_file=None
        )
        self.reader = Reader(settings, self._emit)

    def _emit(self, event: Any) -> None:
        with self._arrived:
            self.events.append(event)
            self._arrived.notify_all()

    def wait_for(self, condition: Callable[[], Any]) -> None:
        with self._arrived:
            assert self._arrived.wait_for(condition, timeout=10), self.events

    @property
    def offsets(self) -> list[int]:
        return [read.offset for event in self.events if isinstance(event, TradesRead) for read in event.trades]

    @property
    def troubles(self) -> list[str | None]:
        return [event.message for event in self.events if isinstance(event, ReaderTrouble)]


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    running = Running(monkeypatch)
    yield running
    running.reader.stop()


def records(*offsets: int) -> list[Taken]:
    return [Taken("binance_trade", str(offset).encode(), at=offset, stamp=offset) for offset in offsets]


def test_starts_with_the_last_records_and_leaves_no_trace(running: Running) -> None:
    running.consumer.ends = {("binance_trade", 0): 10_000, ("dlq-producer", 0): 3}
    running.consumer.batches.put(records(9_500, 9_501))
    running.reader.start()
    running.wait_for(lambda: running.offsets == [9_500, 9_501])
    [first] = running.consumer.assigned
    assert first["binance_trade", 0] == 10_000 - LAST_RECORDS
    assert first["dlq-producer", 0] == 0
    assert {topic for topic, _ in first} == set(TOPICS)
    assert running.config["enable.auto.commit"] is False
    assert running.troubles == []


def test_a_burst_is_passed_whole_in_few_batches(running: Running) -> None:
    for start in range(1_000, 21_000, 5_000):
        running.consumer.batches.put(records(*range(start, start + 5_000)))
    running.reader.start()
    running.wait_for(lambda: len(running.offsets) >= 20_000)
    assert running.offsets == list(range(1_000, 21_000))
    assert sum(isinstance(event, TradesRead) for event in running.events) <= 4


def test_takes_up_topics_and_partitions_that_come_later(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "METADATA_S", 0.05)
    del running.consumer.partitions["dlq-clickhouse"]
    running.consumer.ends = {("binance_trade", 0): 700, ("binance_trade", 1): 900}
    running.consumer.batches.put(records(200, 201))
    running.reader.start()
    running.wait_for(lambda: len(running.offsets) == 2)
    running.consumer.partitions = dict.fromkeys(TOPICS, 1) | {"binance_trade": 2}
    deadline = time.monotonic() + 10
    while len(running.consumer.assigned) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    latest = running.consumer.assigned[-1]
    assert latest["binance_trade", 0] == 202, "goes on where it was"
    assert latest["binance_trade", 1] == 0, "nothing of a new partition is skipped"
    assert ("dlq-clickhouse", 0) in latest


def test_what_cannot_be_decoded_is_told_and_passed_over(running: Running) -> None:
    batch = records(1, 2, 3)
    batch[1].data = b"junk"
    running.consumer.batches.put(batch)
    running.reader.start()
    running.wait_for(lambda: running.offsets == [1, 3] and running.troubles)
    assert running.troubles[0] is not None
    assert "1 record(s) could not be decoded, last binance_trade[0] offset 2" in running.troubles[0]


def test_records_wait_while_the_registry_is_away(running: Running) -> None:
    running.registry_away = True
    running.consumer.batches.put(records(1, 2))
    running.reader.start()
    running.wait_for(lambda: running.troubles)
    assert "connection refused" in str(running.troubles[0])
    assert running.offsets == []
    running.registry_away = False
    running.wait_for(lambda: running.offsets == [1, 2] and running.troubles[-1] is None)


def test_the_loss_of_all_brokers_is_told_and_its_end_too(running: Running) -> None:
    running.reader.start()
    running.consumer.batches.put(records(1))
    running.wait_for(lambda: running.offsets == [1])
    running.consumer.down = KafkaError(KafkaError._ALL_BROKERS_DOWN, "3/3 brokers are down")
    running.consumer.on_error(running.consumer.down)
    running.wait_for(lambda: running.troubles)
    assert "3/3 brokers are down" in str(running.troubles[0])
    running.consumer.down = None
    running.wait_for(lambda: running.troubles[-1] is None)


def test_stops_at_once(running: Running) -> None:
    running.reader.start()
    started = time.monotonic()
    running.reader.stop()
    assert running.consumer.closed.is_set()
    assert time.monotonic() - started < 2
