from pipeline.inventory import EngineSeen, TaskView
from pipeline.windows.engine import seen
from pipeline.windows.stats import Tally


def test_a_report_of_the_windows_process_as_an_engine() -> None:
    tally = Tally(processed=90, lag=4, duplicates=2)
    tally.closed["1m"] = 3
    tally.late = {0: {"1m": {"A": 1, "B": 1000}}}
    assert seen(tally.report(7)) == EngineSeen(
        7,
        "windows",
        "Quix Streams",
        "running",
        (
            TaskView("windows of 1m", "running", "emitted · 1,001 late trades", 3),
            TaskView("windows of 5m", "running", "emitted · 0 late trades", 0),
        ),
        records=90,
        lag=4,
        facts={"duplicates": "2", "poison records": "0"},
    )


def test_an_unknown_lag_stays_unknown() -> None:
    assert seen(Tally().report(7)).lag is None
