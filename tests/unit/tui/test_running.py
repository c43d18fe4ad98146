"""The unfinished windows against a recomputation from every trade."""

from math import fsum, isclose

from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.running import KEPT_MINUTES, Running, Unfinished
from pipeline.model import GRACE_MS, WINDOW_MS, Trade
from pipeline.windows.coverage import MINUTE_MS, Coverage
from tests.unit.windows.trades import BASE, trade

NAMES = ("A", "B")


def running(*batches: list[Trade]) -> Running:
    made = Running(Coverage())
    for batch in batches:
        feed(made, batch)
    return made


def feed(made: Running, batch: list[Trade]) -> list[str]:
    by_symbol: dict[str, list[Trade]] = {}
    for one in batch:
        by_symbol.setdefault(one.symbol, []).append(one)
    return made.take(by_symbol)


def series(first: int, count: int, start_ms: int, step_ms: int = 100, symbol: str = "A") -> list[Trade]:
    return [
        trade(first + i, start_ms + i * step_ms, symbol=symbol, price=100 + i * 7 % 13 / 8, quantity=0.25 + i % 3)
        for i in range(count)
    ]


def unfinished(made: Running, symbol: str, size: str) -> list[Unfinished]:
    return [made.unfinished(symbol, size, start) for start in made.starts(symbol, size)]


def naive(trades: list[Trade], symbol: str, size: str) -> list[tuple[int, list[Trade]]]:
    """(start, trades in order) of the windows that take trades, newest first; an id counts once, as it came first."""
    ms = WINDOW_MS[size]
    time = max(one.event_time for one in trades)
    current = time // ms * ms
    found = []
    for start in (current, current - ms):
        if start + ms + GRACE_MS <= time:
            continue
        inside: dict[int, Trade] = {}
        for one in trades:
            if one.symbol == symbol and start <= one.event_time < start + ms:
                inside.setdefault(one.trade_id, one)
        if inside:
            found.append((start, sorted(inside.values(), key=lambda one: (one.event_time, one.trade_id))))
    return found


def assert_equal(found: list[Unfinished], wanted: list[tuple[int, list[Trade]]]) -> None:
    assert [one.window.window_start for one in found] == [start for start, _ in wanted]
    for one, (_, trades) in zip(found, wanted, strict=True):
        window, prices = one.window, [trade.price for trade in trades]
        quantity = fsum(trade.quantity for trade in trades)
        assert window.trade_count == len(trades)
        assert (window.min_price, window.max_price) == (min(prices), max(prices))
        assert (window.open_price, window.close_price) == (prices[0], prices[-1])
        assert isclose(window.total_quantity, quantity, rel_tol=1e-9)
        assert isclose(window.avg_price, fsum(prices) / len(prices), rel_tol=1e-9)
        assert isclose(window.vwap, fsum(t.price * t.quantity for t in trades) / quantity, rel_tol=1e-9)


stream = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 10, 900, 20_000, 61_000]),  # time passes
        st.sampled_from([0, 0, 0, 0, -5, -70_000]),  # delivered late
        st.sampled_from([1, 1, 1, 1, 1, 1, 0, 2, -3]),  # the step of the id: next, again, a hole, an old one
        st.sampled_from(NAMES),
        st.integers(1, 200),
    ),
    min_size=1,
    max_size=120,
)


@given(stream, st.lists(st.integers(1, 60), max_size=8))
def test_they_equal_a_recomputation_however_trades_come(
    rows: list[tuple[int, int, int, str, int]], cuts: list[int]
) -> None:
    at, numbers, trades = 0, dict.fromkeys(NAMES, 1_000), []
    known: dict[tuple[str, int], Trade] = {}
    for passed, jitter, step, symbol, price in rows:
        at += passed
        numbers[symbol] += step
        made = trade(numbers[symbol], at + jitter, symbol=symbol, price=price / 8, quantity=price % 5 + 0.5)
        trades.append(known.setdefault((symbol, made.trade_id), made))  # the same number always is the same trade
    made_of, rest = Running(Coverage()), trades
    for cut in [*cuts, len(trades)]:
        feed(made_of, rest[:cut])
        rest = rest[cut:]
    for symbol in NAMES:
        for size in WINDOW_MS:
            assert_equal(unfinished(made_of, symbol, size), naive(trades, symbol, size))


def test_a_batch_taken_whole_equals_the_same_taken_singly() -> None:
    trades = series(1, 500, 60_000)
    whole, singly = running(trades[:200], trades[200:]), running(*([one] for one in trades))
    for size in WINDOW_MS:
        assert_equal(unfinished(whole, "A", size), naive(trades, "A", size))
        assert_equal(unfinished(singly, "A", size), naive(trades, "A", size))


def test_a_window_within_its_grace_is_said_to_be_closing() -> None:
    trades = series(1, 10, 59_000) + series(11, 1, 69_999)
    found = unfinished(running(trades), "A", "1m")
    assert [(one.window.window_start - BASE, one.closing) for one in found] == [(60_000, False), (0, True)]
    feed_time = running(trades, series(12, 1, 70_000))
    assert [one.closing for one in unfinished(feed_time, "A", "1m")] == [False]


def test_another_symbols_time_closes_an_idle_ones_window() -> None:
    made = running(series(1, 5, 0), series(1, 5, 130_000, symbol="B"))
    assert unfinished(made, "A", "1m") == []
    assert [one.window.trade_count for one in unfinished(made, "A", "5m")] == [5]
    assert unfinished(made, "C", "1m") == []


def test_reading_that_began_in_the_middle_is_told_unless_the_trade_before_is_known() -> None:
    trades = series(50, 20, 20_000) + series(70, 5, 61_000)
    made = running(trades[:20])
    assert [one.since for one in unfinished(made, "A", "1m")] == [BASE + 20_000]
    feed(made, trades[20:])
    assert [one.since for one in unfinished(made, "A", "1m")] == [None, BASE + 20_000]
    assert [one.since for one in unfinished(made, "A", "5m")] == [BASE + 20_000]
    coverage = Coverage()
    coverage.note("A", BASE - MINUTE_MS, 1, 49)
    known = Running(coverage)
    feed(known, trades[:20])
    assert [one.since for one in unfinished(known, "A", "5m")] == [None]


def test_the_first_trade_of_a_minute_is_told_and_old_minutes_are_forgotten() -> None:
    made = Running(Coverage())
    assert feed(made, series(1, 5, 0)) == ["A"]
    assert feed(made, series(6, 5, 1_000)) == []
    for minute in range(1, 60):
        assert feed(made, series(11 + minute, 1, minute * 60_000)) == ["A"]
    assert len(made._symbols["A"].minutes) == KEPT_MINUTES + 1
    feed(made, series(5_000, 1, 0))
    assert len(made._symbols["A"].minutes) == KEPT_MINUTES + 1
