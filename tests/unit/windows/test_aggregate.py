import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import Trade
from pipeline.windows import aggregate
from tests.unit.windows.model import assert_window
from tests.unit.windows.trades import BASE, trade

price = st.floats(1e-8, 1e7)
quantity = st.integers(1, 10**14).map(lambda units: units / 10**8)
"""As Binance states them: at most eight decimals."""


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Trade], list[Trade]]:
    """A minute's trades, and the same trades in another order with repetitions."""
    count = draw(st.integers(1, 20))
    trades = [
        trade(number, draw(st.integers(0, 59_999)), price=draw(price), quantity=draw(quantity))
        for number in range(count)
    ]
    repeated = draw(st.lists(st.sampled_from(trades), max_size=10))
    return trades, draw(st.permutations(trades + repeated))


def aggregated(trades: list[Trade]) -> aggregate.State:
    state = aggregate.empty()
    for one in trades:
        aggregate.add(state, one.trade_id, one.event_time, one.price, one.quantity)
        state = json.loads(json.dumps(state))  # as between two records in the state store
    return state


@settings(max_examples=40)
@given(deliveries())
def test_order_and_repetition_change_nothing(delivery: tuple[list[Trade], list[Trade]]) -> None:
    trades, delivered = delivery
    window = aggregate.window(aggregated(delivered), "BTCUSDT", BASE, BASE + 60_000)
    assert_window(window, sorted(trades, key=lambda one: (one.event_time, one.trade_id)))
    assert (window.symbol, window.window_start, window.window_end) == ("BTCUSDT", BASE, BASE + 60_000)


def test_tells_a_repeated_trade() -> None:
    state = aggregate.empty()
    assert aggregate.add(state, 1, BASE, 2.0, 3.0)
    before = json.dumps(state)
    assert not aggregate.add(state, 1, BASE, 2.0, 3.0)
    assert json.dumps(state) == before


def test_open_and_close_go_by_event_time_then_trade_id() -> None:
    state = aggregated([
        trade(3, 10, price=3.0), trade(2, 10, price=2.0), trade(9, 5, price=9.0), trade(1, 10, price=1.0),
        trade(8, 5, price=8.0),
    ])  # fmt: skip
    window = aggregate.window(state, "BTCUSDT", BASE, BASE + 60_000)
    assert (window.open_price, window.close_price) == (8.0, 3.0)


def test_sums_do_not_drift() -> None:
    quantities = [0.1] * 20_000
    state = aggregate.empty()
    for number, amount in enumerate(quantities):
        aggregate.add(state, number, BASE + number % 60_000, 0.3, amount)
    window = aggregate.window(state, "BTCUSDT", BASE, BASE + 60_000)
    assert window.total_quantity == 2_000.0
    assert sum(quantities) != 2_000.0, "a plain sum does drift"
    assert math.isclose(window.avg_price, 0.3, rel_tol=1e-15)
    assert math.isclose(window.vwap, 0.3, rel_tol=1e-15)
