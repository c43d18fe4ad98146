from pipeline.exchange.ledger import History, Ledger
from pipeline.exchange.trades import MadeTrade


def trade(trade_id: int, *, price: int = 100, time: int = 1_000, sold: bool = False, symbol: str = "A") -> MadeTrade:
    return MadeTrade(symbol, trade_id, price, 7, time + 1, time, sold)


def filled(*trades: MadeTrade, limit: int = 1_000) -> History:
    history = History(limit)
    for one in trades:
        history.append(one)
    return history


def test_the_newest_trades_are_kept_and_memory_is_bounded() -> None:
    history = filled(*(trade(n) for n in range(1, 1_001)), limit=100)
    assert 100 <= len(history) <= 125
    assert [row.trade_id for row in history.last(3)] == [998, 999, 1_000]
    assert len(history.last(10_000)) == len(history)


def test_from_an_id_on() -> None:
    history = filled(*(trade(n) for n in (1, 2, 5, 6)))
    assert [row.trade_id for row in history.from_id(3, 10)] == [5, 6]
    assert [row.trade_id for row in history.from_id(0, 3)] == [1, 2, 5]
    assert history.from_id(7, 10) == []


def test_what_a_recording_repeats_is_kept_once() -> None:
    assert [row.trade_id for row in filled(trade(1), trade(2), trade(2), trade(1)).last(10)] == [1, 2]


def test_aggregates_join_consecutive_trades_of_one_price_side_and_time() -> None:
    history = filled(
        trade(10), trade(11), trade(12, price=101), trade(13, price=101, sold=True), trade(14, price=101, time=2_000)
    )
    groups = [[row.trade_id for row in group] for group in history.aggregates(10)]
    assert groups == [[10, 11], [12], [13], [14]]
    assert [group[0].aggregate_id for group in history.aggregates(10)] == [10, 11, 12, 13]


def test_aggregates_by_id_time_and_number() -> None:
    history = filled(*(trade(n, price=n // 2, time=1_000 * (n // 2)) for n in range(2, 12)))

    def ids(limit: int = 10, **where: int | None) -> list[list[int]]:
        return [[row.trade_id for row in group] for group in history.aggregates(limit, **where)]

    assert ids() == [[2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    assert ids(2) == [[8, 9], [10, 11]]
    assert ids(2, from_id=3) == [[4, 5], [6, 7]]
    assert ids(start=2_000, end=3_000) == [[4, 5], [6, 7]]
    assert ids(1, start=2_000) == [[4, 5]]
    assert ids(1, end=3_000) == [[6, 7]]
    assert ids(start=9_000) == []
    assert History().aggregates(5) == []


def test_only_listed_symbols_are_kept() -> None:
    ledger = Ledger(["A", "B"])
    ledger.record([trade(1), trade(5, symbol="B"), trade(9, symbol="C")])
    assert ledger.symbols == ("A", "B")
    assert {symbol: len(history) for symbol in "AB" if (history := ledger.history(symbol))} == {"A": 1, "B": 1}
    assert ledger.history("C") is None
