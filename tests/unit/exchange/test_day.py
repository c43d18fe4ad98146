"""The 24-hour ticker against what the same trades add up to."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.day import DAY_MS, MINUTE_MS, Day
from pipeline.exchange.trades import UNIT, MadeTrade, decimal

NOW = 1_790_000_000_000


def trade(number: int, price: int, time: int, quantity: int = UNIT) -> MadeTrade:
    return MadeTrade("BTCUSDT", number, price * UNIT, quantity, time, time, False)


def test_without_trades_nothing_is_made_up() -> None:
    ticker = Day().ticker("BTCUSDT", NOW)
    assert (ticker["openPrice"], ticker["lastPrice"], ticker["count"]) == ("0.00000000", "0.00000000", 0)
    assert (ticker["firstId"], ticker["lastId"]) == (-1, -1)


def test_a_day_that_is_not_over_opens_with_its_first_trade() -> None:
    day = Day()
    day.add(trade(1, 100, NOW - 90_000))
    day.add(trade(2, 90, NOW - 89_000))
    day.add(trade(3, 110, NOW - 10))
    assert day.ticker("BTCUSDT", NOW) == {
        "symbol": "BTCUSDT",
        "openPrice": "100.00000000",
        "highPrice": "110.00000000",
        "lowPrice": "90.00000000",
        "lastPrice": "110.00000000",
        "volume": "3.00000000",
        "quoteVolume": "300.00000000",
        "openTime": NOW - 90_000,
        "closeTime": NOW,
        "firstId": 1,
        "lastId": 3,
        "count": 3,
    }


def test_after_a_day_it_opens_24_hours_ago() -> None:
    day = Day()
    for hour in range(30):
        day.add(trade(hour, 100 + hour, NOW - (29 - hour) * 3_600_000))
    ticker = day.ticker("BTCUSDT", NOW)
    assert (ticker["openTime"], ticker["openPrice"]) == (NOW - DAY_MS, "105.00000000")
    assert (ticker["firstId"], ticker["lastId"], ticker["count"]) == (5, 29, 25)


@given(st.lists(st.tuples(st.integers(0, 2 * DAY_MS), st.integers(1, 10**6)), max_size=60))
def test_it_is_what_the_trades_of_its_minutes_add_up_to(rows: list[tuple[int, int]]) -> None:
    day = Day()
    trades = [trade(number, price, NOW - before) for number, (before, price) in enumerate(sorted(rows, reverse=True))]
    for one in trades:
        day.add(one)
    # A minute counts as a whole: the one that 24 hours ago lies in is still there.
    inside = [t for t in trades if t.trade_time // MINUTE_MS * MINUTE_MS > NOW - DAY_MS - MINUTE_MS]
    ticker = day.ticker("BTCUSDT", NOW)
    assert ticker["count"] == len(inside)
    assert ticker["highPrice"] == decimal(max((t.price for t in inside), default=0))
    assert ticker["lowPrice"] == decimal(min((t.price for t in inside), default=0))
    assert ticker["quoteVolume"] == decimal(sum(t.price for t in inside))
    if inside:
        assert (ticker["openPrice"], ticker["lastPrice"]) == (decimal(inside[0].price), decimal(inside[-1].price))
