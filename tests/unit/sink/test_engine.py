from pipeline.events import Latency, SinkStats
from pipeline.inventory import TaskView
from pipeline.sink.engine import seen


def test_a_report_of_the_sink_as_an_engine() -> None:
    stats = SinkStats(time=7, inserted={"t": 90}, dead_letters=2, lag=4, latency=Latency(9.4, 31.6))
    engine = seen(stats)
    assert (engine.name, engine.engine, engine.state, engine.records, engine.lag) == (
        "sink",
        "built-in",
        "running",
        92,
        4,
    )
    assert engine.tasks == (TaskView("t", "running", "rows inserted", 90),)
    assert engine.facts == {"dead letters": "2", "an insert takes": "p50 9 ms, p99 32 ms"}
    assert engine.error is None


def test_a_sink_that_waits_says_for_what() -> None:
    engine = seen(SinkStats(time=7, inserted={"t": 90}, dead_letters=0, waiting="Connection refused"))
    assert (engine.state, engine.error, engine.lag) == ("waiting", "Connection refused", None)
    assert engine.tasks[0].state == "waiting"
