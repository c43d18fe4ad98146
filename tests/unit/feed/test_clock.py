"""The estimate of the exchange's clock, against clocks that are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feed.clock import KEPT_MS, Offset, Sample

NOON = 1_723_118_671_000


def sample(at: float, *, there: float = 0, back: float = 0, ahead: float = 0) -> Sample:
    """Ask at ``at``; the server's clock is ``ahead`` of ours."""
    return Sample(at, at + there + back, int(at + there + ahead))


def test_before_the_first_answer_it_is_unknown() -> None:
    assert Offset().best(NOON) is None


@given(st.integers(-5_000, 5_000), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1))
def test_the_truth_is_within_the_uncertainty(ahead: int, ways: list[tuple[int, int]]) -> None:
    offset = Offset()
    for number, (there, back) in enumerate(ways):
        offset.add(sample(NOON + number * 1_000, there=there, back=back, ahead=ahead))
    found = offset.best(NOON + len(ways) * 1_000)
    assert found is not None
    assert abs(found.ms - ahead) <= found.uncertainty
    assert found.uncertainty == min(there + back for there, back in ways) / 2


def test_the_shortest_round_trip_is_kept_for_minutes_only() -> None:
    offset = Offset()
    offset.add(sample(NOON, there=2, back=2, ahead=12))
    offset.add(sample(NOON + 60_000, there=20, back=60, ahead=12))
    best = offset.best(NOON + 60_080)
    assert best is not None
    assert (best.ms, best.uncertainty, best.measured_at) == (12, 2, NOON + 4)
    later = offset.best(NOON + 5 + KEPT_MS)
    assert later is not None
    assert (later.uncertainty, later.measured_at) == (40, NOON + 60_080)
    assert offset.best(NOON + 60_081 + KEPT_MS) is None


def test_a_clock_that_was_set_is_seen_at_the_next_answer() -> None:
    offset = Offset()
    offset.add(sample(NOON, there=2, back=2, ahead=0))
    offset.add(sample(NOON + 60_000, there=50, back=50, ahead=3_000))
    best = offset.best(NOON + 61_000)
    assert best is not None
    assert (best.ms, best.uncertainty) == (3_000, 50)


@pytest.mark.parametrize("wrong", [Sample(NOON, NOON - 500, NOON)])
def test_an_answer_before_the_question_says_nothing(wrong: Sample) -> None:
    offset = Offset()
    offset.add(wrong)
    assert offset.best(NOON) is None


def test_a_sample_of_the_future_is_not_believed() -> None:
    offset = Offset()
    offset.add(sample(NOON + 3_600_000))
    assert offset.best(NOON) is None
