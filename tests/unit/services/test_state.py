import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import ServiceState
from pipeline.services.state import Lifecycle, RestartPolicy

S = ServiceState
# One failure in 100 s is the most, so that only failures in a row count, and no jitter.
PLAIN = RestartPolicy(first=1, factor=2, longest=10, jitter=0, stable_after=30, limit=100, within=1000)
EVENTS = {
    "wanted": lambda life, now: life.wanted(now),
    "dependencies_ready": lambda life, now: life.dependencies_ready(now),
    "ready": lambda life, now: life.ready(now),
    "condemned": lambda life, now: life.condemned("too slow"),
    "exited": lambda life, now: life.exited(now, "exit code 1"),
    "retry_due": lambda life, now: life.retry_due(now),
    "stop": lambda life, now: life.stop(now),
    "deaf": lambda life, now: life.deaf("deaf"),
}
LEGAL = {
    (S.STOPPED, "wanted"): {S.WAITING},
    (S.FAILED, "wanted"): {S.WAITING},
    (S.BACKING_OFF, "wanted"): {S.WAITING},
    (S.WAITING, "dependencies_ready"): {S.STARTING},
    (S.STARTING, "ready"): {S.READY, S.STARTING},
    (S.STARTING, "exited"): {S.BACKING_OFF, S.FAILED},
    (S.READY, "exited"): {S.BACKING_OFF, S.FAILED},
    (S.STOPPING, "exited"): {S.STOPPED, S.WAITING},
    (S.BACKING_OFF, "retry_due"): {S.STARTING},
    (S.WAITING, "stop"): {S.STOPPED},
    (S.BACKING_OFF, "stop"): {S.STOPPED},
    (S.STARTING, "stop"): {S.STOPPING},
    (S.READY, "stop"): {S.STOPPING},
}


def started(policy: RestartPolicy = PLAIN, now: float = 0.0) -> Lifecycle:
    life = Lifecycle(policy, random.Random(0))
    assert life.wanted(now)
    assert life.dependencies_ready(now)
    return life


def failed(life: Lifecycle, now: float) -> float:
    """Let it fail, and return the delay until its next start."""
    assert life.exited(now, "exit code 1")
    assert life.retry_at is not None
    return life.retry_at - now


@given(
    st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.floats(0, 50)), max_size=60),
    st.integers(1, 4),
    st.integers(0, 100),
)
def test_no_sequence_of_events_leaves_the_legal_transitions(
    events: list[tuple[str, float]], limit: int, seed: int
) -> None:
    policy = RestartPolicy(limit=limit)
    life = Lifecycle(policy, random.Random(seed))
    now = 0.0
    for event, seconds in events:
        now += seconds
        before, since = life.state, life.since
        changed = EVENTS[event](life, now)
        expected = LEGAL.get((before, event), {before})
        assert life.state in expected
        if life.state is not before:
            assert changed
            assert life.since == now
        else:
            assert life.since == since
        assert (life.retry_at is not None) == (life.state is S.BACKING_OFF)
        if life.retry_at is not None and life.state is not before:
            assert 0 < life.retry_at - now <= policy.longest
        if life.state is S.FAILED:
            assert life.last_error
            assert not life.doomed


def test_the_backoff_doubles_up_to_its_longest() -> None:
    life = started()
    delays = []
    for now in range(6):
        delays.append(failed(life, now))
        assert life.retry_due(now)
    assert delays == [1, 2, 4, 8, 10, 10]
    assert life.restarts == 6


@given(st.integers(1, 10_000), st.integers(0, 1000))
def test_a_delay_is_jittered_and_bounded(failures: int, seed: int) -> None:
    policy = RestartPolicy(first=0.2, factor=2, longest=30, jitter=0.2)
    plain = min(30, 0.2 * 2 ** min(failures - 1, 20))
    assert 0.8 * plain <= policy.delay(failures, random.Random(seed)) <= min(30, 1.2 * plain)


def test_a_stable_stretch_makes_the_next_failure_a_first_one() -> None:
    life = started()
    for now in (0, 1, 2):
        failed(life, now)
        life.retry_due(now)
    life.ready(10)
    assert failed(life, 39) == 8, "29 s of READY are not stable yet"
    life.retry_due(47)
    life.ready(50)
    assert failed(life, 80) == 1


def test_it_is_given_up_at_the_limit_within_the_time() -> None:
    life = started(RestartPolicy(limit=3, within=100, stable_after=1000, jitter=0))
    for now in (0, 60, 120, 180):  # never three within 100 s
        life.ready(now)
        failed(life, now)
        life.retry_due(now)
    life.ready(190)
    assert life.exited(190, "exit code 7")
    assert (life.state, life.last_error) == (S.FAILED, "exit code 7")
    assert not life.retry_due(1000)
    assert not life.stop(1000)
    assert life.wanted(1000)
    assert life.last_error == "exit code 7"
    life.dependencies_ready(1000)
    assert failed(life, 1000) == pytest.approx(0.2), "a person's start begins anew"


def test_slow_starts_that_never_succeed_are_given_up_too() -> None:
    life = started(RestartPolicy(limit=3, within=10))
    for now in (0, 100):
        assert life.exited(now, "x")
        life.retry_due(now)
    life.exited(200, "x")
    assert life.state is S.FAILED


def test_condemned_shows_its_own_reason_and_does_not_become_ready() -> None:
    life = started()
    assert life.condemned("not ready within 60 s")
    assert not life.condemned("again")
    assert not life.ready(60)
    life.exited(60, "killed by SIGKILL")
    assert (life.state, life.last_error, life.doomed) == (S.BACKING_OFF, "not ready within 60 s", False)


def test_a_start_while_it_stops_follows_the_stop_and_a_stop_takes_it_back() -> None:
    life = started()
    life.stop(1)
    assert not life.wanted(2)
    assert life.exited(3, "exit code 0")
    assert (life.state, life.last_error) == (S.WAITING, None)
    life.dependencies_ready(3)
    life.stop(4)
    life.wanted(5)
    life.stop(6)
    life.exited(7, "exit code 0")
    assert (life.state, life.last_error) == (S.STOPPED, None)


def test_dependencies_are_waited_for_only_once() -> None:
    life = Lifecycle(PLAIN, random.Random(0))
    life.wanted(0)
    waits = [life.waits_for_dependencies]
    life.dependencies_ready(0)
    life.stop(1)
    life.exited(2, "")
    life.wanted(3)
    waits.append(life.waits_for_dependencies)
    life.forget_dependencies()
    waits.append(life.waits_for_dependencies)
    assert waits == [True, False, True]
