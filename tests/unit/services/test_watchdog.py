from pipeline.events import ChildEvent, WindowsStats
from pipeline.services.watchdog import Watchdog


def stats(processed: int, lag: int) -> WindowsStats:
    return WindowsStats(time=0, processed=processed, closed={}, late={}, duplicates=0, poison=0, lag=lag)


def stalled(before: ChildEvent, after: ChildEvent) -> bool:
    assert isinstance(before, WindowsStats)
    assert isinstance(after, WindowsStats)
    return after.processed == before.processed and bool(after.lag)


def test_silence_is_overdue_only_once_ready() -> None:
    dog = Watchdog(10, None)
    assert not dog.overdue(1e9)
    dog.ready(100)
    assert not dog.overdue(110)
    assert dog.overdue(110.1)
    dog.report(stats(0, 0), 110)
    assert not dog.overdue(120)


def test_reports_without_progress_are_overdue_while_there_is_work() -> None:
    dog = Watchdog(10, stalled)
    dog.ready(0)
    for second in range(30):  # idle: nothing to do
        dog.report(stats(5, 0), second)
        assert not dog.overdue(second)
    for second in range(30, 41):
        dog.report(stats(5, 7), second)
        assert not dog.overdue(second)
    dog.report(stats(5, 7), 41)
    assert dog.overdue(41)
    dog.report(stats(6, 7), 42)
    assert not dog.overdue(42)


def test_time_that_the_watcher_lost_itself_does_not_count() -> None:
    dog = Watchdog(10, stalled)
    dog.ready(0)
    dog.report(stats(5, 7), 1)
    dog.report(stats(5, 7), 2)
    dog.held_up(20)
    assert not dog.overdue(31)
    assert dog.overdue(33)


def test_a_new_run_begins_anew() -> None:
    dog = Watchdog(10, stalled)
    dog.ready(0)
    dog.report(stats(5, 7), 1)
    dog.report(stats(5, 7), 2)
    dog.ready(100)
    assert not dog.overdue(105)
    dog.report(stats(5, 7), 106)
    assert not dog.overdue(115)
