"""The sink's statistics."""

from pipeline.events import Latency, SinkStats
from pipeline.sink.report import Report


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_report_goes_out_once_a_second_with_counters_since_the_start() -> None:
    sent: list[SinkStats] = []
    clock = Clock()
    report = Report(sent.append, lambda: None, clock, lambda: 5000)
    report.assigned({("t", 0): None})
    report.inserted_rows("t", 10, 0.002)
    report.inserted_rows("t", 5, 0.004)
    report.tick(lambda _: 7)
    assert sent == []
    clock.now = 1.0
    report.tick(lambda _: 7)
    clock.now = 2.0
    report.waiting = "away\x1b[31m"
    report.tick(lambda _: None)
    assert sent == [
        SinkStats(
            time=5000, inserted={"t": 15}, dead_letters=0, lag=7, last_insert=5000, latency=Latency(p50=4.0, p99=4.0)
        ),
        SinkStats(time=5000, inserted={"t": 15}, dead_letters=0, waiting="away\\x1b[31m", last_insert=5000),
    ]


def test_ready_is_told_once_and_lag_is_asked_for_what_is_assigned_and_committed() -> None:
    ready: list[bool] = []
    asked: list[object] = []
    sent: list[SinkStats] = []
    report = Report(sent.append, lambda: ready.append(True), Clock(), lambda: 1)
    report.assigned({("t", 0): 3, ("t", 1): None})
    report.committed({("t", 0): 9})
    report.revoked([("t", 1)])
    report.assigned({})
    report.send(lambda places: asked.append(dict(places)))
    assert ready == [True]
    assert asked == [{("t", 0): 9}]
