"""The Kafka side against librdkafka's mock cluster: delivery, dead letters, back-pressure, giving up."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pipeline.child import now_ms
from pipeline.model import PRODUCER_DLQ, TRADE_TOPIC, Reason, Rejection
from pipeline.producer.kafka import MAX_VALUE, KafkaWriter, producer_config
from tests.unit.producer.kafka_mock import MockCluster


@pytest.fixture(scope="module")
def cluster() -> MockCluster:
    return MockCluster()


def config(cluster: MockCluster, **changes: Any) -> dict[str, Any]:
    return {**producer_config({"bootstrap.servers": cluster.bootstrap}), "linger.ms": 1, **changes}


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the conditions are plain state, read from outside
            await asyncio.sleep(0.005)


async def test_trades_arrive_with_key_value_and_event_time(cluster: MockCluster) -> None:
    writer = KafkaWriter(config(cluster))
    serving = asyncio.create_task(writer.serve())
    for number in range(10):
        writer.send("币安人生USDT", b"value %d" % number, 1_723_161_255_343 + number, now_ms() - 20)
    assert writer.in_flight == 10
    await until(lambda: writer.acknowledged == 10)
    serving.cancel()
    assert (writer.in_flight, writer.failed, writer.queue, writer.blocked_ms) == (0, 0, 0, 0)
    waited = writer.acknowledged_after.take()
    assert sum(waited.values()) == 10
    assert all(20 <= ms < 5000 for ms in waited)
    found = [m for m in cluster.read(TRADE_TOPIC, 10) if m.key() == "币安人生USDT".encode()]
    assert [m.value() for m in found] == [b"value %d" % number for number in range(10)]
    assert [m.timestamp()[1] for m in found] == [1_723_161_255_343 + number for number in range(10)]


async def test_a_refused_frame_is_quarantined_as_received(cluster: MockCluster) -> None:
    writer = KafkaWriter(config(cluster))
    frame = b"\xff\x00 not a trade"
    writer.quarantine(Rejection(Reason.NOT_JSON, "invalid \ud800", frame, 123, None, None))
    writer.quarantine(Rejection(Reason.BAD_NUMBER, "NaN", b"x" * 1_500_000, 124, "p", "BTCUSDT"))
    assert writer.flush(10) == 0
    assert writer.dead_letters == 2
    first, second = sorted(cluster.read(PRODUCER_DLQ, 2), key=lambda m: len(m.value()))
    assert (first.key(), first.value()) == (None, frame)
    assert dict(first.headers()) == {
        "error.reason": b"not_json",
        "error.field": b"",
        "error.detail": b"invalid \\ud800",
        "received_time": b"123",
    }
    assert second.key() == b"BTCUSDT"
    assert second.value() == b"x" * MAX_VALUE
    assert dict(second.headers())["error.truncated"] == b"900000 of 1500000 bytes"
    assert dict(second.headers())["error.field"] == b"p"


async def test_a_full_queue_holds_the_reader_and_loses_nothing(
    cluster: MockCluster, caplog: pytest.LogCaptureFixture
) -> None:
    # Nothing leaves the queue for 300 ms, so that it fills.
    writer = KafkaWriter(config(cluster, **{"queue.buffering.max.messages": 100, "linger.ms": 300}))
    serving = asyncio.create_task(writer.serve())
    waited = 0
    for number in range(350):
        writer.send("FULLUSDT", b"%d" % number, 1_723_161_255_343, now_ms())
        room = writer.room()
        if room is not None:
            waited += 1
            assert writer.queue == 101
            await room
            assert writer.room() is None
    await until(lambda: writer.acknowledged == 350)
    serving.cancel()
    assert waited == 3
    assert writer.blocked_ms >= 300
    assert writer.failed == 0
    assert "reading stops" in caplog.text
    found = [m.value() for m in cluster.read(TRADE_TOPIC, 350) if m.key() == b"FULLUSDT"]
    assert found == [b"%d" % number for number in range(350)]


async def test_the_flush_takes_what_was_held(cluster: MockCluster) -> None:
    writer = KafkaWriter(config(cluster, **{"queue.buffering.max.messages": 10, "linger.ms": 100}))
    for number in range(11):
        writer.send("HELDUSDT", b"%d" % number, 1_723_161_255_343, now_ms())
    room = writer.room()
    assert isinstance(room, Coroutine)
    room.close()  # what would wait is flushed instead
    assert writer.flush(10) == 0
    assert (writer.acknowledged, writer.queue) == (11, 0)


async def test_what_no_broker_takes_is_counted_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    writer = KafkaWriter({**producer_config({"bootstrap.servers": "127.0.0.1:1"}), "queue.buffering.max.messages": 4})
    for _ in range(5):
        writer.send("BTCUSDT", b"x", 1_723_161_255_343, now_ms())
    with caplog.at_level(logging.WARNING):
        assert writer.flush(0.5) == 5
    assert (writer.failed, writer.acknowledged, writer.queue) == (5, 0, 0)
    assert "Kafka: " in caplog.text
    assert caplog.text.count("Connect to") == 1, "the same trouble is not said again and again"
