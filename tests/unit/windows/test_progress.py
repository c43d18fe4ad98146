import msgspec
import pytest

from pipeline.events import WindowsStats
from pipeline.windows.progress import stalled

BEFORE = WindowsStats(time=0, processed=10, closed={}, late={}, duplicates=0, poison=1, lag=5)


@pytest.mark.parametrize(
    ("lag_before", "change", "expected"),
    [
        (5, {}, True),
        (5, {"lag": 900}, True),
        (5, {"processed": 11}, False),
        (5, {"poison": 2}, False),
        (5, {"lag": 0}, False),
        (5, {"lag": None}, False),
        (0, {}, False),
        (None, {}, False),
    ],
)
def test_stalled_is_work_to_do_and_none_done(lag_before: int | None, change: dict[str, int], expected: bool) -> None:
    before = msgspec.structs.replace(BEFORE, lag=lag_before)
    after = msgspec.structs.replace(BEFORE, time=60_000, **change)
    assert stalled(before, after) is expected
