import msgspec

from cryptostreamx_tui.state import State
from cryptostreamx_tui.windows import KEPT, ClosedWindow, Windows
from pipeline.events import HistoryRead, LateWindow
from pipeline.model import Window
from pipeline.windows.coverage import Wholeness
from tests.tui.fakes import NOON, producer
from tests.tui.window_story import HOLE, MINUTE, NOW_MINUTE, closed, history, running, story

BTC, ETH = "BTCUSDT", "ETHUSDT"


def of(windows: Windows, symbol: str | None, size: str = "1m") -> list[ClosedWindow]:
    """The rows, newest first."""
    ring = windows.ring(size, symbol)
    return [ring.newest(i) for i in range(len(ring))]


def read(windows: Windows, symbol: str = BTC) -> bool:
    return windows.trades({symbol: [one.trade for one in running(symbol)]})


def test_rows_are_in_the_order_of_time_however_they_came() -> None:
    windows = Windows()
    windows.read([closed(BTC, 2), closed(ETH, 1), closed(BTC, 1)])
    windows.history(history(5))
    rows = [(row.window.window_start, row.window.symbol) for row in of(windows, None)]
    assert rows == [(NOW_MINUTE - ago * MINUTE, symbol) for ago in range(1, 6) for symbol in (BTC, ETH)]
    assert [row.window for row in of(windows, ETH)] == [closed(ETH, ago) for ago in range(1, 6)]
    assert windows.ring("1m").end == 10
    assert windows.symbols == [BTC, ETH]
    assert windows.ring("1m", "NOUSDT").end == 0


def test_what_comes_again_identical_changes_nothing_and_a_corrected_one_replaces() -> None:
    windows = Windows()
    assert windows.read([closed(BTC, 1)])
    ring, version = windows.ring("1m"), windows.version
    assert not windows.read([closed(BTC, 1)])
    assert windows.ring("1m") is ring
    better = msgspec.structs.replace(closed(BTC, 1), trade_count=101)
    assert windows.read([better])
    assert windows.version > version
    [row] = of(windows, BTC)
    assert (row.window, row.corrected) == (better, True)
    assert "corrected" in row.flags
    assert not windows.history(history(1)) or of(windows, BTC)[0].window == better, "Kafka's is the newer one"


def test_a_window_that_the_store_had_before_its_correction() -> None:
    windows = Windows()
    windows.history(history(2))
    better = msgspec.structs.replace(closed(BTC, 1), trade_count=101)
    windows.read([better])
    assert of(windows, BTC)[0].corrected
    assert not of(windows, BTC)[1].corrected


def test_a_hole_makes_partial_and_the_next_trade_makes_whole() -> None:
    windows = Windows()
    windows.history(history(10))
    assert windows.history_read
    newest = of(windows, BTC)[0]
    assert newest.verdict.wholeness is Wholeness.UNKNOWN, "the next trade has not come"
    assert read(windows)
    rows = of(windows, BTC)
    assert [row.verdict.wholeness for row in rows[: HOLE + 1]] == [
        Wholeness.WHOLE,
        Wholeness.WHOLE,
        Wholeness.PARTIAL,
        Wholeness.WHOLE,
    ]
    assert rows[0].flags == ()
    assert rows[HOLE - 1].flags == ("partial",)
    assert not read(windows), "no minute began"


def test_the_first_window_goes_by_the_subscription() -> None:
    for since, wholeness in ((0, Wholeness.WHOLE), (NOW_MINUTE - 30_000, Wholeness.PARTIAL)):
        windows = Windows()
        windows.since = {BTC: since}
        trades = [one.trade for one in running()]
        earlier = [
            msgspec.structs.replace(one, event_time=one.event_time - MINUTE, trade_id=one.trade_id - len(trades))
            for one in trades
        ]
        windows.trades({BTC: earlier})
        windows.trades({BTC: trades})
        windows.read([msgspec.structs.replace(closed(BTC, 1), trade_count=len(earlier))])
        assert of(windows, BTC)[0].verdict.wholeness is wholeness


def test_late_trades_are_told_by_window_and_are_not_missing_ones() -> None:
    windows = Windows()
    windows.history(history(10))
    read(windows)
    start = NOW_MINUTE - HOLE * MINUTE
    assert windows.late((LateWindow("1m", BTC, start, 7), LateWindow("5m", "NOUSDT", 0, 1)))
    row = of(windows, BTC)[HOLE - 1]
    assert (row.late, row.verdict.wholeness, row.flags) == (7, Wholeness.WHOLE, ("late 7",))
    assert not windows.late((LateWindow("1m", BTC, start, 7), LateWindow("5m", "NOUSDT", 0, 1)))


def test_what_is_unfinished_and_closed_meanwhile_is_not_unfinished() -> None:
    windows = Windows()
    read(windows)
    assert windows.unfinished("1m", BTC) == [NOW_MINUTE]
    windows.read([closed(BTC, 0)])
    assert windows.unfinished("1m", BTC) == []


def test_a_window_of_no_size_of_ours_is_passed_over_and_memory_is_bounded() -> None:
    windows = Windows()
    odd: Window = msgspec.structs.replace(closed(BTC, 1), window_end=NOW_MINUTE + 1)
    assert not windows.read([odd])
    windows.read(closed(BTC, ago) for ago in range(KEPT + 10))
    assert len(windows.ring("1m", BTC)) == len(windows.ring("1m")) == KEPT
    assert windows.ring("1m").end == KEPT + 10


def test_the_state_takes_history_trades_late_counts_and_the_subscription() -> None:
    state = State()
    for event in story():
        before = state.revision["windows"]
        state.apply(event, NOON)
        if isinstance(event, HistoryRead):
            assert state.revision["windows"] > before
    assert state.windows.history_read
    late = [row for row in of(state.windows, ETH) if row.late]
    assert [(row.window.window_start, row.late) for row in late] == [(NOW_MINUTE - 2 * MINUTE, 3)]
    assert of(state.windows, BTC)[0].verdict.wholeness is Wholeness.WHOLE
    state.apply(producer(NOON, streamed_since={BTC: 5}), NOON)
    assert state.windows.since == {BTC: 5}
    state.feed = "replay of trades.frames"
    state.apply(producer(NOON, streamed_since={BTC: 5}), NOON)
    assert state.windows.since == {}, "a recording's times are of another clock"
