from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from pipeline.exchange.generator import MARKETS, Generator, UnknownMarketError
from pipeline.exchange.trades import MadeTrade

START = 1_790_000_000_000


def made(ms: int, *, step: int = 10, seed: int = 1, rate: float = 2_000, start: int = START) -> list[MadeTrade]:
    generator = Generator(MARKETS, seed=seed, start=start, rate=rate)
    return [trade for now in range(start, start + ms + 1, step) for trade in generator.advance(now)]


TRADES = made(20_000)


def test_the_same_seed_and_start_make_the_same_trades_whatever_the_ticks() -> None:
    assert made(3_000, step=5) == made(3_000, step=500)
    assert made(3_000, seed=2) != made(3_000)


def test_trade_ids_are_consecutive_for_each_symbol() -> None:
    ids: dict[str, list[int]] = defaultdict(list)
    for trade in TRADES:
        ids[trade.symbol].append(trade.trade_id)
    assert ids.keys() == MARKETS.keys()
    for symbol, of_symbol in ids.items():
        assert of_symbol == list(range(START * 100, START * 100 + len(of_symbol))), symbol


def test_a_restart_never_uses_an_id_again() -> None:
    last = max(trade.trade_id for trade in made(1_000, rate=50_000))
    assert min(trade.trade_id for trade in made(100, start=START + 1_001)) > last


def test_times_are_the_clocks_and_never_go_back() -> None:
    assert all(START <= trade.event_time <= START + 20_000 for trade in TRADES)
    assert all(0 <= trade.event_time - trade.trade_time <= 2 for trade in TRADES)
    assert all(one.event_time <= other.event_time for one, other in pairwise(TRADES))
    for symbol in MARKETS:
        times = [trade.trade_time for trade in TRADES if trade.symbol == symbol]
        assert times == sorted(times)


def test_prices_and_quantities_are_on_their_grids_and_plausible() -> None:
    for trade in TRADES:
        market = MARKETS[trade.symbol]
        assert trade.price % market.tick == 0
        assert trade.quantity % market.lot == 0
        assert trade.quantity > 0
        assert 0.9 < trade.price / market.price < 1.1


def test_it_looks_like_a_market() -> None:
    assert len({trade.price for trade in TRADES if trade.symbol == "BTCUSDT"}) > 100
    assert 0.4 < sum(trade.buyer_is_maker for trade in TRADES) / len(TRADES) < 0.6
    bursts = Counter((trade.symbol, trade.event_time) for trade in TRADES)
    assert max(bursts.values()) > 20
    sizes = sorted(trade.quantity for trade in TRADES if trade.symbol == "ETHUSDT")
    assert sizes[-1] > 50 * sizes[len(sizes) // 2]  # heavy-tailed


@pytest.mark.parametrize("rate", [200, 20_000])
def test_the_rate_holds_in_the_long_run(rate: float) -> None:
    ms = 60_000 if rate < 1_000 else 3_000
    assert len(made(ms, rate=rate)) == pytest.approx(rate * ms / 1000, rel=0.15)


def test_no_bursts_when_none_are_wanted() -> None:
    generator = Generator(["BTCUSDT"], seed=1, start=START, rate=10, burst=1)
    times = [trade.event_time for now in range(0, 60_000, 1_000) for trade in generator.advance(START + now)]
    assert len(set(times)) > 0.98 * len(times)


def test_a_clock_that_jumped_is_followed_not_made_good_for() -> None:
    generator = Generator(["BTCUSDT"], seed=1, start=START, rate=1_000)
    trades = generator.advance(START + 3_600_000)
    assert len(trades) < 5_000
    assert all(trade.event_time >= START + 3_600_000 for trade in trades)


def test_unknown_and_missing_symbols_are_refused() -> None:
    with pytest.raises(UnknownMarketError, match="NOSUCH"):
        Generator(["BTCUSDT", "NOSUCH"], seed=1, start=START, rate=1)
    with pytest.raises(UnknownMarketError):
        Generator([], seed=1, start=START, rate=1)
