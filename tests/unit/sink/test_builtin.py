"""The sink's loop with a fake consumer: what is committed, and what never is."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from pipeline.events import SinkStats
from pipeline.model import TRADE_TOPIC
from pipeline.schemas.codec import CodecError
from pipeline.schemas.registry import RegistryError
from pipeline.sink.batch import Bad, RefusedError, Row
from pipeline.sink.builtin import FatalError, Sink
from pipeline.sink.report import Report
from pipeline.sink.tables import UnavailableError


class Value(msgspec.Struct):
    number: int


class FakeMessage:
    def __init__(self, offset: int, value: bytes | None, error: KafkaError | None = None) -> None:
        self._offset, self._value, self._error = offset, value, error

    def topic(self) -> str:
        return TRADE_TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> None:
        return None

    def error(self) -> KafkaError | None:
        return self._error


class World:
    """A consumer, a clock, a ClickHouse and a dead letter topic, all in memory; each poll takes 0.1 s."""

    def __init__(self, values: Sequence[bytes | FakeMessage | None]) -> None:
        self.messages = [v if isinstance(v, FakeMessage) else FakeMessage(n, v) for n, v in enumerate(values)]
        self.now = 0.0
        self.log: list[str] = []
        self.paused = False
        self.failures: list[Exception] = []
        self.registry_failures = 0
        self.stats: list[SinkStats] = []
        self.idle = 0
        self.ends: Callable[[], tuple[int, int] | None] = lambda: (0, 500)
        report = Report(self.stats.append, lambda: None, lambda: self.now, lambda: 1)
        self.sink = Sink(
            self, {TRADE_TOPIC: self.decode}, self.insert, self, report,  # type: ignore[arg-type]
            batch_rows=4, linger=0.5, clock=lambda: self.now,
            after_insert=lambda: self.log.append("between"),
        )  # fmt: skip
        self.on_idle: Callable[[], None] = self.sink.stop

    # the consumer
    def subscribe(self, *_: Any, **callbacks: Any) -> None:
        callbacks["on_assign"](self, [TopicPartition(TRADE_TOPIC, 0)])
        self.revoke = callbacks["on_revoke"]

    def consume(self, count: int, timeout: float) -> list[FakeMessage]:
        self.now += max(timeout, 0.01)
        if self.paused:
            return []
        if not self.messages:
            self.idle += 1
            if self.idle > 8:
                self.on_idle()
        taken, self.messages = self.messages[:count], self.messages[count:]
        return taken

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return partitions

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(TRADE_TOPIC, 0)]

    def pause(self, _: object) -> None:
        self.paused = True

    def resume(self, _: object) -> None:
        self.paused = False

    def get_watermark_offsets(self, _: object, *, cached: bool, timeout: float = 0.0) -> tuple[int, int] | None:
        assert cached != self.paused, "what the library remembers stands still while nothing is fetched"
        if cached:
            return 0, 100
        assert timeout > 0
        return self.ends()

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert not asynchronous
        self.log.append(f"commit {offsets[0].offset}")

    def close(self) -> None:
        self.log.append("close")

    # the decoder, ClickHouse, the dead letters
    def decode(self, data: bytes) -> Value:
        if self.registry_failures:
            self.registry_failures -= 1
            raise RegistryError(0, "connection refused", "", "read schema 1", "http://registry")
        if data == b"bad":
            raise CodecError("no record")
        return Value(int(data))

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        numbers = [row.values[0] for row in rows]
        if 666 in numbers:
            raise RefusedError("refused")
        self.log.append(f"insert {numbers}")

    def write(self, bad: Sequence[Bad], executor: Callable[[Bad], str], alive: Callable[[str], bool]) -> bool:
        self.log += [f"letter {one.record.offset} {one.stage}" for one in bad]
        return True


def test_offsets_are_committed_after_the_insert_and_a_partial_batch_after_its_linger() -> None:
    world = World([b"1", b"2", b"3", b"4", b"5"])
    world.sink.run()
    assert world.log == ["insert [1, 2, 3, 4]", "between", "commit 4", "insert [5]", "between", "commit 5", "close"]


def test_bad_records_become_dead_letters_before_the_commit_and_tombstones_pass() -> None:
    world = World([b"1", b"bad", None, b"666"])
    world.sink.run()
    assert world.log == ["insert [1]", "letter 1 VALUE_CONVERTER", "letter 3 TASK_PUT", "between", "commit 4", "close"]


def test_an_absent_clickhouse_is_waited_for_with_paused_partitions_and_no_dead_letter() -> None:
    world = World([b"1", b"2", b"3", b"4"])
    world.failures = [UnavailableError("Connection refused")] * 6
    world.sink.run()
    assert world.log == ["insert [1, 2, 3, 4]", "between", "commit 4", "close"]
    assert any((stats.waiting, stats.lag) == ("Connection refused", 500) for stats in world.stats)
    assert not world.paused
    assert world.now > 5.0


@pytest.mark.parametrize("gone", [None, KafkaException(KafkaError(KafkaError._TRANSPORT))])
def test_while_the_brokers_are_away_too_the_lag_is_unknown(gone: Exception | None) -> None:
    world = World([b"1", b"2", b"3", b"4"])
    world.failures = [UnavailableError("Connection refused")] * 6

    def away() -> None:
        if gone is not None:
            raise gone

    world.ends = away
    world.sink.run()
    waiting = [stats for stats in world.stats if stats.waiting is not None]
    assert waiting
    assert all(stats.lag is None for stats in waiting)


def test_an_absent_registry_is_waited_for() -> None:
    world = World([b"1", b"bad"])
    world.registry_failures = 3
    world.sink.run()
    assert world.log == ["insert [1]", "letter 1 VALUE_CONVERTER", "between", "commit 2", "close"]


def test_stopped_while_waiting_nothing_is_committed() -> None:
    world = World([b"1", b"2", b"3", b"4"])

    class Away(list[Exception]):
        def pop(self, _: Any = 0) -> Exception:
            if world.now > 10:
                world.sink.stop()
            return UnavailableError("away")

    world.failures = Away([UnavailableError("away")])
    world.sink.run()
    assert world.log == ["close"]


def test_what_is_in_hand_is_written_when_it_is_stopped() -> None:
    world = World([b"1", b"2"])
    original = world.consume

    def consume(count: int, timeout: float) -> list[FakeMessage]:
        world.sink.stop()
        return original(count, timeout)

    world.consume = consume  # type: ignore[method-assign]
    world.sink.run()
    assert world.log == ["insert [1, 2]", "between", "commit 2", "close"]


def test_records_of_a_revoked_partition_are_left_to_its_new_owner() -> None:
    world = World([b"1", b"2"])

    def revoke() -> None:
        raise AssertionError("not reached")

    world.on_idle = revoke
    original = world.consume

    def consume(count: int, timeout: float) -> list[FakeMessage]:
        if not world.messages:
            world.revoke(world, [TopicPartition(TRADE_TOPIC, 0)])
            world.sink.stop()
        return original(count, timeout)

    world.consume = consume  # type: ignore[method-assign]
    world.sink.run()
    assert world.log == ["close"]


def test_a_fenced_member_cannot_go_on() -> None:
    world = World([FakeMessage(0, None, KafkaError(KafkaError.FENCED_INSTANCE_ID))])
    with pytest.raises(FatalError, match="Kafka ended this consumer"):
        world.sink.run()
    assert world.log == ["close"]
