"""Quantiles of the latency histogram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import Latency
from pipeline.producer.report import LatencyHistogram


def test_nothing_counted_is_no_latency() -> None:
    assert LatencyHistogram().take() is None


def test_quantiles_of_what_came_since_the_last_report() -> None:
    histogram = LatencyHistogram()
    for ms in range(1, 101):
        histogram.add(ms)
    assert histogram.take() == Latency(p50=50, p99=99)
    assert histogram.take() is None


def test_a_clock_set_back_counts_as_no_time() -> None:
    histogram = LatencyHistogram()
    histogram.add(-5000)
    assert histogram.take() == Latency(p50=0, p99=0)


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=300))
def test_the_median_is_right_to_two_percent(durations: list[int]) -> None:
    histogram = LatencyHistogram()
    for ms in durations:
        histogram.add(ms)
    found = histogram.take()
    assert found is not None
    exact = sorted(durations)[(len(durations) + 1) // 2 - 1]
    assert found.p50 == pytest.approx(exact, rel=0.02)
    assert found.p50 <= found.p99


def test_its_size_has_a_bound() -> None:
    histogram = LatencyHistogram()
    for ms in range(0, 600_000, 7):
        histogram.add(ms)
    assert len(histogram._counts) < 1200
