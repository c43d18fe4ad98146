"""Backoff, attempts and tokens, on a clock of the test's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feed.backoff import Attempts, Backoff, TokenBucket


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def test_delays_grow_to_their_limit_and_begin_anew() -> None:
    backoff = Backoff(first=0.25, factor=2, most=3, uniform=middle)
    assert [backoff.delay() for _ in range(6)] == [0.25, 0.5, 1, 2, 3, 3]
    backoff.reset()
    assert backoff.delay() == 0.25


@given(st.integers(1, 50))
def test_jitter_stays_within_its_share(count: int) -> None:
    backoff = Backoff(first=1, factor=1, most=1, jitter=0.25)
    assert all(0.75 <= backoff.delay() <= 1.25 for _ in range(count))


def test_no_window_holds_more_attempts_than_allowed() -> None:
    attempts, now, made = Attempts(limit=300, period=300), 0.0, list[float]()
    for _ in range(1000):
        now += attempts.wait(now)
        attempts.note(now)
        made.append(now)
        now += 0.25
    assert all(sum(start <= t < start + 300 for t in made) <= 300 for start in made)


def test_accepting_and_closing_a_hundred_times_stays_within_binances_limit() -> None:
    backoff, attempts, now, made = Backoff(), Attempts(), 0.0, list[float]()
    for _ in range(100):
        now += attempts.wait(now)
        attempts.note(now)
        made.append(now)
        now += backoff.delay()
    assert max(sum(start <= t < start + 300 for t in made) for start in made) <= 30


def test_the_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=4, burst=2)
    assert [bucket.wait(10.0) for _ in range(4)] == pytest.approx([0, 0, 0.25, 0.5])
    assert bucket.wait(11.0) == 0


@given(st.lists(st.floats(0, 2), min_size=10, max_size=60))
def test_no_second_takes_more_than_five(pauses: list[float]) -> None:
    bucket, now, sent = TokenBucket(rate=3, burst=2), 0.0, list[float]()
    for pause in pauses:
        now += pause
        wait = bucket.wait(now)
        now += wait
        sent.append(now)
    assert all(sum(start <= t < start + 1 for t in sent) <= 5 for start in sent)
