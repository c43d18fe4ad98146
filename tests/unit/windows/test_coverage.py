from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import WINDOW_MS, Window
from pipeline.windows.coverage import KEPT, MINUTE_MS, Coverage, Wholeness

S = "BTCUSDT"


def closed(start: int, trades: int, size: str = "1m") -> Window:
    return Window(S, start, start + WINDOW_MS[size], trades, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def seen(*minutes: tuple[int, int, int]) -> Coverage:
    coverage = Coverage()
    for minute, first, last in minutes:
        coverage.note(S, minute * MINUTE_MS, first, last)
    return coverage


def judged(coverage: Coverage, minute: int, trades: int, size: str = "1m", **more: int) -> tuple[Wholeness, str]:
    return coverage.judge(closed(minute * MINUTE_MS, trades, size), **more)


def test_whole_where_its_ids_and_its_neighbours_are_without_a_hole() -> None:
    coverage = seen((5, 1, 9), (6, 10, 19), (11, 20, 29))
    assert judged(coverage, 6, 10)[0] is Wholeness.WHOLE
    assert judged(coverage, 5, 19, "5m", since=0)[0] is Wholeness.WHOLE


def test_partial_with_the_place_of_the_hole() -> None:
    coverage = seen((5, 1, 9), (6, 12, 21), (7, 25, 30), (8, 31, 32))
    assert judged(coverage, 6, 7) == (
        Wholeness.PARTIAL,
        "trade ids are missing: 3 inside, 2 just before its first trade, 3 just after its last trade",
    )
    assert judged(coverage, 7, 6)[1] == "trade ids are missing: 3 just before its first trade"


def test_late_trades_are_not_missing_ones() -> None:
    coverage = seen((5, 1, 9), (6, 10, 19), (7, 20, 29))
    assert judged(coverage, 6, 8)[0] is Wholeness.PARTIAL
    assert judged(coverage, 6, 8, late=2)[0] is Wholeness.WHOLE


def test_the_first_window_goes_by_when_streaming_began() -> None:
    coverage = seen((6, 10, 19), (7, 20, 29))
    minute = 6 * MINUTE_MS
    for since, wholeness in (
        (None, Wholeness.UNKNOWN),
        (minute, Wholeness.WHOLE),
        (minute + 1, Wholeness.PARTIAL),
        (minute + MINUTE_MS, Wholeness.UNKNOWN),  # of another life of the producer
    ):
        assert coverage.judge(closed(minute, 10), since=since).wholeness is wholeness


def test_unknown_is_never_called_whole() -> None:
    coverage = seen((5, 1, 9), (6, 12, 19))
    assert judged(Coverage(), 6, 10)[0] is Wholeness.UNKNOWN
    assert judged(coverage, 5, 9, since=0) == (
        Wholeness.PARTIAL,
        "trade ids are missing: 2 just after its last trade",
    )
    assert judged(seen((5, 1, 9), (6, 10, 19)), 6, 10)[0] is Wholeness.UNKNOWN, "the next trade would tell"
    assert judged(coverage, 6, 9)[0] is Wholeness.UNKNOWN, "it was joined in the middle"
    assert judged(seen((5, 1, 11), (6, 10, 19), (7, 20, 21)), 6, 10)[0] is Wholeness.UNKNOWN


def test_what_was_only_not_looked_up_is_not_missing() -> None:
    coverage = seen((5, 1, 9), (6, 12, 19), (7, 20, 21))
    assert judged(coverage, 6, 8)[0] is Wholeness.PARTIAL
    coverage.join(S, 12)
    coverage.join(S, 20)
    assert judged(coverage, 6, 8)[0] is Wholeness.UNKNOWN
    assert judged(coverage, 5, 9, since=0)[0] is Wholeness.UNKNOWN


def test_what_is_kept_is_bounded_and_the_newest() -> None:
    coverage = seen(*((minute, minute, minute) for minute in reversed(range(KEPT + 50))))
    assert judged(coverage, 48, 1)[0] is Wholeness.UNKNOWN
    assert judged(coverage, KEPT, 1)[0] is Wholeness.WHOLE


@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.sampled_from([True, True, True, False])), min_size=1, max_size=80),
    st.integers(0, 80),
    st.integers(0, 80),
)
def test_only_what_is_whole_is_called_whole(steps: list[tuple[int, bool]], stored: int, joined: int) -> None:
    """Trades in the order of time, some not received; the first ``stored`` looked up, those from ``joined`` on read."""
    at, trades = 0, []
    for number, (step, received) in enumerate(steps):
        at += step
        trades.append((number, at, received))
    coverage = Coverage()
    for number, time, received in trades:
        if received and number >= joined:
            coverage.join(S, number)
        if received and (number < stored or number >= joined):
            coverage.note(S, time - time % MINUTE_MS, number, number)
    for size, ms in WINDOW_MS.items():
        for start in range(0, at + 1, ms):
            inside = [received for _, time, received in trades if start <= time < start + ms]
            if not any(inside):
                continue
            verdict = coverage.judge(closed(start, sum(inside), size))
            if verdict.wholeness is Wholeness.WHOLE:
                assert all(inside)
            elif verdict.wholeness is Wholeness.PARTIAL:
                assert not all(received for _, _, received in trades), verdict.why
