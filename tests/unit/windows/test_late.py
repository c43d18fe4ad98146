import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import LateWindow
from pipeline.model import GRACE_MS, WINDOW_MS, Trade
from pipeline.windows import idset, late
from tests.unit.windows.model import expected
from tests.unit.windows.trades import BASE, trade


class Memory(dict[str, Any]):
    """A partition's state that can go back to its last commit. As in the real one, every value is a copy: JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.committed: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return copy.deepcopy(super().get(key, default))

    def set(self, key: str, value: Any) -> None:
        self[key] = copy.deepcopy(value)

    def commit(self) -> None:
        self.committed = dict(self)

    def crash(self) -> None:
        self.clear()
        self.update(self.committed)


times = st.integers(0, 900_000) | st.sampled_from(
    [at + step for at in (60_000, 70_000, 300_000, 310_000) for step in (-1, 0, 1)]
)
streams = st.lists(st.tuples(st.integers(0, 30), times, st.sampled_from(["A", "B"])), max_size=80)


def numbered(rows: list[tuple[int, int, str]]) -> list[Trade]:
    """Trades; the same number always is the same trade."""
    first: dict[tuple[str, int], int] = {}
    return [trade(number, first.setdefault((symbol, number), at), symbol=symbol) for number, at, symbol in rows]


def judged(lateness: late.Lateness, one: Trade, windows: dict[tuple[str, str, int], list[int]]) -> late.Verdict:
    """Take a trade as the topology does: into its open windows, and the windows that its time closes are closed."""
    verdict = lateness.judge(one.symbol, one.trade_id, one.event_time)
    for size in verdict.open:
        start = one.event_time - one.event_time % WINDOW_MS[size]
        idset.add(windows.setdefault((size, one.symbol, start), []), one.trade_id)
    reached = lateness.stream_time
    assert reached is not None
    for size, symbol, start in [key for key in windows if key[2] + WINDOW_MS[key[0]] + GRACE_MS <= reached]:
        lateness.closed(size, symbol, start, windows.pop((size, symbol, start)))
    return verdict


def by_window(lateness: late.Lateness) -> dict[tuple[str, str, int], int]:
    return {(one.size, one.symbol, one.window_start): one.trades for one in lateness.windows}


@given(streams)
def test_counts_exactly_what_a_brute_force_model_counts(rows: list[tuple[int, int, str]]) -> None:
    trades = numbered(rows)
    memory = Memory()
    windows: dict[tuple[str, str, int], list[int]] = {}
    for one in trades:
        judged(late.Lateness(memory), one, windows)  # a new one each time: everything lies in the memory
    assert by_window(late.Lateness(memory)) == expected(trades).late_windows
    assert late.Lateness(memory).counts == {size: dict(of) for size, of in expected(trades).late.items() if of}


@given(streams, st.sets(st.integers(0, 79)), st.sets(st.integers(0, 79)))
def test_a_replay_after_a_crash_counts_nothing_twice(
    rows: list[tuple[int, int, str]], commits: set[int], crashes: set[int]
) -> None:
    trades = numbered(rows)
    memory = Memory()
    windows: dict[tuple[str, str, int], list[int]] = {}
    committed_at, committed_windows = 0, dict(windows)
    lateness = late.Lateness(memory)
    at = 0
    while at < len(trades):
        if at in crashes:
            crashes = crashes - {at}
            memory.crash()
            lateness, at = late.Lateness(memory), committed_at
            windows = {key: list(ids) for key, ids in committed_windows.items()}
            continue
        judged(lateness, trades[at], windows)
        at += 1
        if at in commits:
            memory.commit()
            committed_at, committed_windows = at, {key: list(ids) for key, ids in windows.items()}
    assert by_window(lateness) == expected(trades).late_windows
    assert lateness.counts == {size: dict(of) for size, of in expected(trades).late.items() if of}


def test_closes_at_the_grace_to_the_millisecond() -> None:
    for reached, verdict in ((69_999, late.ALL_OPEN), (70_000, late.Verdict(("5m",), late=("1m",)))):
        lateness = late.Lateness(Memory())
        lateness.judge("A", 1, BASE + reached)
        assert lateness.judge("A", 2, BASE + 59_999) == verdict


def test_a_trade_that_its_closed_window_has_is_repeated_not_late() -> None:
    lateness = late.Lateness(Memory())
    lateness.judge("A", 1, BASE)
    lateness.judge("A", 2, BASE + 70_000)
    lateness.closed("1m", "A", BASE, [1, 1])
    assert lateness.judge("A", 1, BASE) == late.Verdict(("5m",), repeated=("1m",))
    assert lateness.judge("A", 3, BASE) == late.Verdict(("5m",), late=("1m",))
    assert lateness.judge("A", 3, BASE) == late.Verdict(("5m",), repeated=("1m",)), "a late trade counts once"
    assert lateness.counts == {"1m": {"A": 1}}
    assert lateness.windows == [LateWindow("1m", "A", BASE, 1)]


def test_what_is_remembered_is_bounded() -> None:
    memory = Memory()
    lateness = late.Lateness(memory)
    holes = [number * 2 for number in range(1_000) for _ in range(2)]
    for number in range(500):
        lateness.closed("1m", "A", BASE + number * 60_000, [1, 1])
        lateness.closed("5m", "A", BASE + number * 300_000, list(holes))
    assert len(memory["closed/1m/A"]) == late.REMEMBERED_MS // 60_000
    assert sum(len(ids) for _, ids in memory["closed/5m/A"]) <= late.REMEMBERED_NUMBERS
    assert memory["closed/5m/A"][-1][0] == BASE + 499 * 300_000, "the newest are kept"
    lateness.judge("A", 1, BASE + 10**9)
    lateness.judge("A", 2, BASE)
    for number in range(late.LATE_WINDOWS):
        lateness.judge("B", 3 + number, BASE + number * 300_000)
        lateness.judge("A", 3 + number, BASE)
    assert len(lateness.windows) == late.LATE_WINDOWS
    assert lateness.windows[-1] == LateWindow("5m", "A", BASE, late.LATE_WINDOWS + 1), "those hit last are kept"
