"""Prices of the last minutes, and what is known of how they moved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.state import DAY_STALE_MS, State
from cryptostreamx_tui.summary import PRICE_SECONDS, Prices, SymbolSummary
from pipeline.events import ChildReport, DaySeen, DayTicker, FrameFound, StackPhase, SymbolsWanted, TradesRead
from tests.tui import fakes
from tests.tui.fakes import NOON

SECOND = NOON // 1000
DAY = 86_400_000


def summary(*prices: tuple[int, float]) -> SymbolSummary:
    """A symbol with a price at seconds after noon."""
    made = SymbolSummary()
    for after, price in prices:
        now = NOON + after * 1000
        made.update(fakes.trade(after, at=now, price=price), 1, now)
    return made


def test_a_change_is_unknown_before_so_much_was_seen() -> None:
    made = summary((0, 100.0), (30, 101.0), (59, 102.0))
    assert made.change(NOON + 59_000, 60) is None
    assert made.change(NOON + 60_000, 60) == pytest.approx(0.02)
    assert made.change(NOON + 90_000, 60) == pytest.approx(102 / 101 - 1)
    assert made.change(NOON + 90_000, 300) is None


def test_a_symbol_that_is_seldom_traded_has_its_price_in_between() -> None:
    made = summary((0, 100.0), (200, 110.0))
    assert made.change(NOON + 200_000, 60) == pytest.approx(0.10)


def test_what_an_earlier_run_received_is_no_history() -> None:
    made = SymbolSummary()
    made.update(fakes.trade(1, at=NOON - 3_600_000, price=50.0), 1, NOON, started=NOON)
    made.update(fakes.trade(2, at=NOON + 1000, price=100.0), 1, NOON + 1000, started=NOON)
    assert made.price == 100.0
    assert made.change(NOON + 2000, 60) is None


def test_nothing_is_known_of_the_time_in_which_it_was_not_streamed() -> None:
    made = summary((0, 100.0))
    made.streamed(NOON - 1000, NOON)
    made.streamed(None, NOON + 10_000)
    made.streamed(NOON + 100_000, NOON + 100_000)
    made.update(fakes.trade(2, at=NOON + 100_000, price=200.0), 1, NOON + 100_000)
    assert made.change(NOON + 69_000, 60) == pytest.approx(1.0), "a minute before, it was streamed"
    assert made.change(NOON + 120_000, 60) is None
    assert made.change(NOON + 160_000, 60) == pytest.approx(0.0)


def test_a_connection_that_was_made_anew_is_a_gap_of_its_moment_alone() -> None:
    made = summary((0, 100.0))
    made.streamed(NOON - 1000, NOON)
    made.streamed(NOON + 5_000, NOON + 5_000)
    made.update(fakes.trade(2, at=NOON + 6_000, price=110.0), 1, NOON + 6_000)
    assert made.change(NOON + 64_000, 60) == pytest.approx(0.10)
    assert made.change(NOON + 65_000, 60) is None
    assert made.change(NOON + 66_000, 60) == pytest.approx(0.0)


@given(st.lists(st.tuples(st.integers(0, 40), st.one_of(st.none(), st.floats(0.01, 1e6))), max_size=200))
def test_prices_are_those_of_a_plain_table_and_memory_is_bounded(rows: list[tuple[int, float | None]]) -> None:
    prices, table, second = Prices(), dict[int, float | None](), SECOND
    for step, price in rows:
        second += step
        table[second] = price
        prices.add(price, second * 1000)
    assert len(prices._seconds) <= 2 * PRICE_SECONDS + 1
    for back in range(0, PRICE_SECONDS, 7):
        seen = [at for at in table if at <= second - back]
        assert prices.at(second - back) == (table[max(seen)] if seen else None)


def test_the_last_minute_has_as_many_points_as_there_is_room_for() -> None:
    made = summary(*((n, float(n + 1)) for n in range(120)))
    assert made.prices.recent(NOON + 119_000, 6) == [70.0, 80.0, 90.0, 100.0, 110.0, 120.0]
    assert summary((55, 1.0)).prices.recent(NOON + 60_000, 6) == [1.0], "what was not seen is left out"


# ---------------------------------------------------------------- 24 hours, in the state


def day(opened: int = NOON - DAY, last: float = 60_000.0) -> DaySeen:
    return DaySeen(NOON, {"BTCUSDT": DayTicker(50_000.0, last, opened, NOON)})


def test_24_hours_go_by_the_exchanges_opening_price_and_our_last_one() -> None:
    state = State()
    state.want(("BTCUSDT",))
    assert state.day_change("BTCUSDT", NOON) is None
    state.apply(day(), NOON)
    assert state.day_change("BTCUSDT", NOON) == pytest.approx(0.2)
    state.apply(TradesRead((fakes.trade(1, price=55_000.0),), NOON), NOON)
    assert state.day_change("BTCUSDT", NOON) == pytest.approx(0.1)
    assert state.day_change("ETHUSDT", NOON) is None


def test_less_than_24_hours_or_too_old_is_unknown() -> None:
    state = State()
    state.apply(day(opened=NOON - 3_600_000), NOON)
    assert state.day_change("BTCUSDT", NOON) is None
    state.apply(day(), NOON)
    state.apply(DaySeen(NOON + 60_000, error="HTTP 429"), NOON + 60_000)
    assert state.day_error == "HTTP 429"
    assert state.day_change("BTCUSDT", NOON + 60_000) is not None, "what was told a minute ago still holds"
    assert state.day_change("BTCUSDT", NOON + DAY_STALE_MS + 1) is None


# ---------------------------------------------------------------- symbols, in the state


def test_a_removed_symbol_does_not_come_back_by_a_late_report() -> None:
    state = State()
    state.know(("BTCUSDT", "ETHUSDT"))
    state.want(("BTCUSDT", "ETHUSDT"))
    state.apply(fakes.producer(NOON), NOON)
    state.arrange(("BTCUSDT",))
    state.want(("BTCUSDT",))
    state.apply(fakes.producer(NOON, pending=("BTCUSDT",)), NOON)
    assert list(state.known) == ["BTCUSDT"]
    state.arrange(("BTCUSDT", "ETHUSDT"))
    state.arrange(("ETHUSDT", "BTCUSDT"))
    assert list(state.known) == ["ETHUSDT", "BTCUSDT"]


def test_whoever_chose_the_order_it_is_followed() -> None:
    state = State()
    state.know(("BTCUSDT", "ETHUSDT"))
    state.apply(SymbolsWanted(("ETHUSDT",), NOON, known=("ETHUSDT", "SOLUSDT")), NOON)
    assert (list(state.known), state.wanted) == (["ETHUSDT", "SOLUSDT"], ("ETHUSDT",))
    state.apply(SymbolsWanted(("ETHUSDT", "BTCUSDT"), NOON), NOON)
    assert list(state.known) == ["ETHUSDT", "SOLUSDT", "BTCUSDT"]


def test_a_row_says_what_it_waits_for() -> None:
    state = State()
    state.want(("BTCUSDT", "NOUSDT"))
    state.apply(fakes.producer(NOON, symbols=(), pending=("BTCUSDT",), connected=False), NOON)
    assert state.subscription("BTCUSDT") == "connecting…"
    state.apply(fakes.producer(NOON, symbols=(), pending=("BTCUSDT",)), NOON)
    assert state.subscription("BTCUSDT") == "subscribing…"
    state.apply(fakes.producer(NOON, symbols=("BTCUSDT",), unlisted=("NOUSDT",)), NOON)
    assert (state.subscription("BTCUSDT"), state.subscription("NOUSDT")) == ("on", "not listed")
    state.want(())
    assert state.subscription("BTCUSDT") == "leaving…"


def test_frames_are_kept_for_a_while() -> None:
    state = State()
    for number in range(100):
        state.apply(ChildReport("producer", FrameFound(symbol="A", trade_id=number, frame=f"{number}")), NOON)
    assert len(state.frames) == 64
    assert state.frames["A", 99] == "99"
    assert state.revision["frames"] == 100


def test_another_run_knows_nothing_of_the_last_ones_day() -> None:
    state = State()
    state.apply(StackPhase("running", NOON), NOON)
    state.apply(day(), NOON)
    state.apply(StackPhase("stopped", NOON), NOON)
    state.apply(StackPhase("starting", NOON), NOON)
    assert state.day == {}
