from collections.abc import Callable
from typing import Any

import msgspec

from pipeline.completion import Completion, Ranges
from pipeline.events import Command, ExchangeStats, ProducerStats
from pipeline.ledger import Stored

EXCHANGE = ExchangeStats(time=0, clients=1, frames_sent=3, faults={}, total=3, ended=True)
PRODUCER = ProducerStats(
    time=0, frames=3, accepted=3, refused={}, control=0, ignored=0, acknowledged=3, failed=0, in_flight=0, queue=0,
    blocked_ms=0, dead_letters=0, reconnects=0, connected=True,
)  # fmt: skip


class FakePipeline:
    """Answers ``report_ids`` through ``on_command``, audits from a list that it works through."""

    def __init__(self, *audits: Stored) -> None:
        self.audits = list(audits)
        self.asked: list[Ranges] = []
        self.on_command: Callable[[], None] = lambda: None

    def send(self, service: str, command: Command) -> bool:
        assert (service, command.report_ids) == ("producer", True)
        self.on_command()
        return True

    async def audit(self, accepted: Ranges) -> Stored:
        self.asked.append(accepted)
        return self.audits.pop(0) if len(self.audits) > 1 else self.audits[0]


def clock(step: float) -> Callable[[], float]:
    now = 0.0

    def tick() -> float:
        nonlocal now
        now += step
        return now

    return tick


def completion(pipeline: FakePipeline, **producer: Any) -> Completion:
    result = Completion(pipeline, clock(1.0), patience=10.0, poll=0.0)
    stats = msgspec.structs.replace(PRODUCER, **producer)
    result.apply(EXCHANGE)
    result.apply(stats)
    told = msgspec.structs.replace(stats, accepted_ids={"BTCUSDT": ((1, 3),)})
    pipeline.on_command = lambda: result.apply(told)
    return result


async def test_it_waits_until_the_store_has_what_was_accepted() -> None:
    pipeline = FakePipeline(Stored(rows=1), Stored(rows=2), Stored(rows=3, due={"1m": 1}, closed={"1m": 1}))
    run = completion(pipeline)
    await run.wait()
    summary = run.summary()
    assert pipeline.asked == [{"BTCUSDT": ((1, 3),)}] * 3
    assert summary["complete"] is True
    assert (summary["accepted"], summary["stored"], summary["windows_closed"]) == (3, 3, {"1m": 1})


def test_a_run_that_nobody_looked_at_is_not_complete() -> None:
    summary = completion(FakePipeline(Stored(rows=3))).summary()
    assert summary["complete"] is False
    assert summary["missing"]


async def test_what_never_arrives_is_named_and_ends_the_wait() -> None:
    run = completion(FakePipeline(Stored(rows=2)))
    await run.wait()
    summary = run.summary()
    assert summary["complete"] is False
    assert summary["missing"] == ["2 of 3 accepted trades stored"]


async def test_books_that_do_not_balance_are_never_taken_to_the_store() -> None:
    pipeline = FakePipeline(Stored(rows=3))
    run = completion(pipeline, acknowledged=2)
    await run.wait()
    assert pipeline.asked == []
    assert run.summary()["missing"] == ["2 of 3 trades acknowledged"]


async def test_a_failure_makes_the_summary_incomplete() -> None:
    run = completion(FakePipeline(Stored(rows=3)))
    await run.wait()
    assert run.summary("kafka-1 failed")["missing"] == ["kafka-1 failed"]
