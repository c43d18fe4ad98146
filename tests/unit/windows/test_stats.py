import msgspec

from pipeline.events import AnyChildEvent, LateWindow, WindowsStats
from pipeline.windows.stats import Tally


def test_late_trades_of_all_partitions_are_added_up_by_window() -> None:
    tally = Tally()
    tally.late_windows = {
        0: [LateWindow("1m", "A", 60_000, 2), LateWindow("5m", "A", 0, 1)],
        1: [LateWindow("1m", "A", 60_000, 3)],
    }
    assert set(tally.report(0).late_windows) == {LateWindow("1m", "A", 60_000, 5), LateWindow("5m", "A", 0, 1)}


def test_the_report_comes_out_of_its_line_as_it_went_in() -> None:
    report = Tally(late_windows={0: [LateWindow("1m", "币安人生USDT", 60_000, 2)]}).report(7)
    line = msgspec.json.encode(report)
    assert msgspec.json.decode(line, type=AnyChildEvent) == report
    assert isinstance(report, WindowsStats)
