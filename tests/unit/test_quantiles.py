"""Histograms against the sorted durations they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quantiles import EXACT_BELOW, Histogram, bin_of, merged, quantiles

DURATIONS = st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=300)


def counted(durations: list[int]) -> dict[int, int]:
    histogram = Histogram()
    for ms in durations:
        histogram.add(ms)
    return histogram.take()


def test_nothing_counted_has_no_quantiles() -> None:
    assert Histogram().take() == {}
    assert quantiles({}, 0.5, 0.99) is None


def test_quantiles_of_what_came_since_it_was_taken() -> None:
    histogram = Histogram()
    for ms in range(1, 101):
        histogram.add(ms)
    assert quantiles(histogram.take(), 0.50, 0.99, 1) == (50, 99, 100)
    assert histogram.take() == {}


@given(st.integers(-EXACT_BELOW + 1, EXACT_BELOW - 1))
def test_small_durations_are_exact(ms: int) -> None:
    assert bin_of(ms) == ms


@given(st.integers(-10_000_000, 10_000_000))
def test_a_bin_is_one_percent_wide_and_its_own(ms: int) -> None:
    start = bin_of(ms)
    assert abs(start) <= abs(ms) <= abs(start) * 1.016
    assert bin_of(start) == start
    assert bin_of(-ms) == -start


@given(DURATIONS, st.floats(0, 1))
def test_a_quantile_is_the_bin_of_the_sorted_duration(durations: list[int], share: float) -> None:
    found = quantiles(counted(durations), share)
    assert found is not None
    rank = next(n for n in range(1, len(durations) + 1) if n >= share * len(durations))
    assert found == (bin_of(sorted(durations)[rank - 1]),)


@given(DURATIONS)
def test_quantiles_ascend(durations: list[int]) -> None:
    found = quantiles(counted(durations), 0, 0.5, 0.99, 1)
    assert found is not None
    assert list(found) == sorted(found)
    assert found[0] == bin_of(min(durations))
    assert found[-1] == bin_of(max(durations))


@given(st.lists(DURATIONS, max_size=5))
def test_the_minute_is_the_sum_of_its_seconds(seconds: list[list[int]]) -> None:
    assert merged(map(counted, seconds)) == counted([ms for second in seconds for ms in second])


def test_merging_changes_nothing_that_was_merged() -> None:
    first, second = {1: 1}, {1: 2, 5: 1}
    assert merged((first, second)) == {1: 3, 5: 1}
    assert (first, second) == ({1: 1}, {1: 2, 5: 1})


@pytest.mark.parametrize("longest", [600_000, 86_400_000])
def test_its_size_has_a_bound(longest: int) -> None:
    assert len(counted(list(range(0, longest, longest // 100_000)))) < 1_700
