"""Who comes late is told the present: the last of each thing, nothing twice, nothing old as if it were new."""

from pipeline.attach.present import FRESH_MS, LINES_KEPT, Present
from pipeline.events import (
    ChildReport,
    ClusterSeen,
    DeadLettersRead,
    LogLine,
    Ready,
    ServiceChanged,
    StackPhase,
    StepChanged,
    StepState,
    SymbolsWanted,
)
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON


def test_the_last_of_each_thing_is_told_between_the_beginning_and_the_present_phase() -> None:
    present = Present()
    for event in (*fakes.started(NOON), *fakes.figures(NOON)):
        if not isinstance(event, DeadLettersRead):
            present.apply(event)
    changed = fakes.service("sink", NOON + 1, ServiceState.BACKING_OFF)
    done = StepChanged("topics", "binance_trade", StepState.EXISTS, "", NOON + 1)
    cluster = fakes.cluster(NOON + 2, down=1)
    for event in (changed, done, cluster, SymbolsWanted(("ETHUSDT",), NOON)):
        present.apply(event)
    told = present.events(NOON + 3)
    assert told[0] == StackPhase("starting", NOON - 6000)
    assert told[-1] == StackPhase("running", NOON)
    assert [event for event in told if getattr(event, "name", None) == "sink"] == [changed]
    assert [event for event in told if getattr(event, "name", None) == "binance_trade"] == [done]
    assert [event for event in told if isinstance(event, ClusterSeen)] == [cluster]
    assert SymbolsWanted(("ETHUSDT",), NOON) in told
    services = [event for event in told if isinstance(event, ServiceChanged)]
    assert [event.name for event in services] == list(fakes.SERVICES)
    reports = [event.service for event in told if isinstance(event, ChildReport)]
    assert reports == ["producer", "windows", "sink"]


def test_statistics_that_are_old_are_not_told_as_new() -> None:
    present = Present()
    present.apply(fakes.producer(NOON))
    present.apply(ChildReport("producer", Ready()))
    assert present.events(NOON + FRESH_MS) == [fakes.producer(NOON)]
    assert present.events(NOON + FRESH_MS + 1) == []


def test_the_last_lines_of_the_logs_are_told_in_their_order() -> None:
    present = Present()
    lines = [ChildReport("sink", LogLine(level="ERROR", time=n, message=str(n))) for n in range(LINES_KEPT + 5)]
    for line in lines:
        present.apply(line)
    assert present.events(NOON) == lines[5:]


def test_nothing_is_told_of_what_has_not_begun() -> None:
    assert Present().events(NOON) == []
