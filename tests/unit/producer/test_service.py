"""The order of the producer's start and stop, in this process: with a registry that only counts."""

import asyncio
from typing import Any

import pytest

from pipeline.events import ChildEvent, Command, FrameFound, ProducerStats, Ready
from pipeline.model import TRADE_TOPIC
from pipeline.producer import service as service_module
from pipeline.producer.kafka import producer_config
from pipeline.producer.service import ProducerService, UnflushedError
from pipeline.quantiles import merged
from pipeline.schemas.registry import UNREACHABLE, Registry, RegistryError
from pipeline.schemas.subjects import SUBJECTS, ensure_subjects
from tests.unit.feed.small_exchange import Exchange, ServerConnection, exchange, frame, until
from tests.unit.producer.kafka_mock import MockCluster


class Registers(Registry):
    """A registry in memory, away for a while."""

    def __init__(self, away: int = 0) -> None:
        self.subjects: dict[str, int] = {}
        self.url = "http://registry.test"
        self.away = away

    def schema_id(self, subject: str, schema: dict[str, Any]) -> int | None:
        if self.away:
            self.away -= 1
            raise RegistryError(UNREACHABLE, "refused", subject, "look up", self.url)
        return self.subjects.get(subject)

    def register(self, subject: str, schema: dict[str, Any]) -> int:
        assert subject not in self.subjects
        return self.subjects.setdefault(subject, len(self.subjects) + 11)


def of(exchange_url: str, kafka: str, registry: Registry, sent: list[ChildEvent]) -> ProducerService:
    return ProducerService(
        exchange_url,
        "http://127.0.0.1:1",
        ("BTCUSDT",),
        registry,
        {**producer_config({"bootstrap.servers": kafka}), "linger.ms": 1},
        sent.append,
    )


async def three_trades(state: Exchange, connection: ServerConnection) -> None:
    for trade_id in range(3):
        await connection.send(frame(trade_id))
    await state.commands(connection)


def test_schemas_are_registered_once_and_then_found() -> None:
    registry = Registers()
    first = ensure_subjects(registry)
    assert list(first) == list(SUBJECTS) == list(registry.subjects)
    assert ensure_subjects(registry) == first


async def test_a_registry_that_is_away_delays_the_start_and_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service_module, "REGISTRY_RETRY", 0.01)
    cluster, sent = MockCluster(1), list[ChildEvent]()
    async with exchange(three_trades) as state:
        service = of(state.url, cluster.bootstrap, Registers(away=5), sent)
        service.command(Command(symbols=("ETHUSDT",)))  # heeded once it starts
        task = asyncio.create_task(service.run())
        await until(lambda: any(isinstance(event, Ready) for event in sent))
        await until(lambda: state.paths)
        service.stop()
        await task
    assert state.paths == ["/stream?streams=ethusdt@trade"]
    assert caplog.text.count("not ready: registry http://registry.test: could not look up: refused") == 1


async def test_stopping_before_the_registry_answered() -> None:
    sent: list[ChildEvent] = []
    service = of("ws://127.0.0.1:1", "127.0.0.1:1", Registers(away=10**6), sent)
    task = asyncio.create_task(service.run())
    service.stop()
    await asyncio.wait_for(task, 5)
    assert sent == []


async def test_a_stop_flushes_and_reports_a_last_time() -> None:
    cluster, sent = MockCluster(1), list[ChildEvent]()
    async with exchange(three_trades) as state:
        service = of(state.url, cluster.bootstrap, Registers(), sent)
        task = asyncio.create_task(service.run())
        await until(lambda: state.paths)
        await until(lambda: isinstance(sent[-1], ProducerStats) and sent[-1].accepted == 3)
        service.command(Command(report_ids=True))
        asked = sent[-1]
        service.command(Command(frame=("BTCUSDT", 1)))
        service.command(Command(frame=("BTCUSDT", 9)))
        found = sent[-2:]
        service.stop()
        await task
    assert isinstance(asked, ProducerStats)
    assert asked.accepted_ids == {"BTCUSDT": ((0, 2),)}
    kept, gone = found
    assert isinstance(kept, FrameFound)
    assert kept.frame is not None
    assert '"s":"BTCUSDT","t":1,"p":"1.5"' in kept.frame
    assert gone == FrameFound(symbol="BTCUSDT", trade_id=9, frame=None)
    last = sent[-1]
    assert isinstance(last, ProducerStats)
    assert (last.accepted, last.acknowledged, last.in_flight, last.accepted_ids) == (3, 3, 0, None)
    reports = [event for event in sent if isinstance(event, ProducerStats)]
    assert sum(merged(report.acknowledged_after for report in reports).values()) == 3
    assert sum(merged(report.received_after for report in reports).values()) == 3
    assert last.clock_offset is None, "nobody answers under the REST address"
    records = cluster.read(TRADE_TOPIC, 3)
    assert [int.from_bytes(message.value()[1:5], "big") for message in records] == [11] * 3


async def test_kafka_away_at_the_end_is_a_counted_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "FLUSH_SECONDS", 0.3)
    sent: list[ChildEvent] = []
    async with exchange(three_trades) as state:
        service = of(state.url, "127.0.0.1:1", Registers(), sent)
        task = asyncio.create_task(service.run())
        await until(lambda: sent and isinstance(sent[-1], ProducerStats) and sent[-1].in_flight == 3)
        service.stop()
        with pytest.raises(UnflushedError, match="3 of 3 trades"):
            await task
    last = sent[-1]
    assert isinstance(last, ProducerStats)
    assert (last.failed, last.in_flight, last.queue) == (3, 0, 0)


async def test_an_exchange_out_of_reach_is_reported_and_tried_again() -> None:
    cluster, sent = MockCluster(1), list[ChildEvent]()
    service = of("ws://127.0.0.1:1", cluster.bootstrap, Registers(), sent)
    task = asyncio.create_task(service.run())
    await until(lambda: sent and isinstance(sent[-1], ProducerStats))
    report = sent[-1]
    assert isinstance(report, ProducerStats)
    assert not report.connected
    assert report.feed_error is not None
    assert "127.0.0.1:1" in report.feed_error
    assert (report.symbols, report.pending) == ((), ("BTCUSDT",))
    assert not task.done()
    service.stop()
    await task


async def test_unsubscribed_while_running() -> None:
    cluster, sent = MockCluster(1), list[ChildEvent]()
    async with exchange(three_trades) as state:
        service = of(state.url, cluster.bootstrap, Registers(), sent)
        task = asyncio.create_task(service.run())
        await until(lambda: any(isinstance(event, Ready) for event in sent))
        await until(lambda: state.paths)
        service.command(Command(symbols=("ETHUSDT",)))
        await until(lambda: len(state.requests) == 2)
        service.stop()
        await task
    assert sorted((request["method"], *request["params"]) for request in state.requests) == [
        ("SUBSCRIBE", "ethusdt@trade"),
        ("UNSUBSCRIBE", "btcusdt@trade"),
    ]
