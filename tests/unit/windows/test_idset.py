from hypothesis import given
from hypothesis import strategies as st

from pipeline.windows import idset


@given(st.lists(st.integers(0, 60) | st.integers(-(2**63), 2**63 - 1)))
def test_agrees_with_a_set(ids: list[int]) -> None:
    ranges: list[int] = []
    known: set[int] = set()
    for trade_id in ids:
        assert idset.add(ranges, trade_id) == (trade_id not in known)
        known.add(trade_id)
        assert ranges == sorted(ranges)
    covered = {number for low, high in zip(ranges[::2], ranges[1::2], strict=True) for number in range(low, high + 1)}
    assert covered == known
    assert all(high + 1 < low for high, low in zip(ranges[1::2], ranges[2::2], strict=False)), "ranges are merged"


def test_consecutive_ids_are_one_range_in_any_order() -> None:
    ranges: list[int] = []
    for trade_id in (5, 3, 4, 1, 2, 6):
        assert idset.add(ranges, trade_id)
    assert ranges == [1, 6]


def test_forgets_the_lowest_range_when_there_are_too_many() -> None:
    ranges: list[int] = []
    for number in range(idset.MAX_RANGES + 1):
        idset.add(ranges, 10 * number)
    assert len(ranges) == 2 * idset.MAX_RANGES
    assert ranges[:2] == [10, 10]
