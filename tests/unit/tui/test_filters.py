"""The line that filters the tape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.filters import FilterError, TradeFilter, parse
from cryptostreamx_tui.state import TapeEntry
from tests.tui import fakes


def entry(symbol: str = "BTCUSDT", number: int = 1, price: float = 100.0) -> TapeEntry:
    """A purchase, unless ``number`` is a multiple of 3; its quantity is 0.0144 and some hundredths."""
    return fakes.trade(number, symbol, price=price), fakes.NOON


@pytest.mark.parametrize(
    ("text", "symbols", "sold", "least"),
    [
        ("btc", ("BTC",), None, 0.0),
        ("BTC eth btc", ("BTC", "ETH"), None, 0.0),
        ("buy", (), False, 0.0),
        ("Sell >1000", (), True, 1000.0),
        (">1,000 btc", ("BTC",), None, 1000.0),
        (">=2.5k", (), None, 2500.0),
        ("≥1M", (), None, 1e6),
        (">0.5", (), None, 0.5),
        ("币安", ("币安",), None, 0.0),
    ],
)
def test_what_is_typed_is_what_is_meant(text: str, symbols: tuple[str, ...], sold: bool | None, least: float) -> None:
    assert parse(text) == TradeFilter(symbols, sold, least)


@pytest.mark.parametrize("text", ["", "  ", ">0"])
def test_no_filter_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("buy sell", "once"),
        (">", "a number belongs after >"),
        (">abc", "a number belongs after >"),
        (">1e9", "a number belongs after >"),
        (">-5", "a number belongs after >"),
        (">nan", "a number belongs after >"),
        (">1 >2", "one smallest value"),
        ("<5", "only a smallest value"),
    ],
)
def test_what_is_wrong_is_told(text: str, words: str) -> None:
    with pytest.raises(FilterError, match=words):
        parse(text)


def matches(text: str, one: TapeEntry) -> bool:
    made = parse(text)
    assert made is not None
    return made(one)


def test_symbol_side_and_value_all_have_to_match() -> None:
    bought, sold = entry(number=1), entry(number=3)
    assert matches("btc", bought)
    assert matches("eth btc", bought)
    assert not matches("eth", bought)
    assert matches("buy", bought)
    assert not matches("buy", sold)
    assert matches("sell", sold)
    value = bought[0].trade.price * bought[0].trade.quantity
    assert matches(f">{value:.6f}", bought) is (value >= float(f"{value:.6f}"))
    assert matches("btc buy >1", bought)
    assert not matches("btc buy >3", bought)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_none_or_an_error_in_words(text: str) -> None:
    made: TradeFilter | str | None
    try:
        made = parse(text)
    except FilterError as error:
        made = str(error)
    assert made is None or (made if isinstance(made, str) else made(entry()) in (True, False))


@given(
    st.lists(st.sampled_from(["BTC", "ETH", "USDT", "币安"]), unique=True, max_size=3),
    st.sampled_from([None, True, False]),
    st.integers(0, 10**9),
)
def test_a_filters_words_mean_the_same_filter(symbols: list[str], sold: bool | None, cents: int) -> None:
    wanted = TradeFilter(tuple(symbols), sold, cents / 100)
    again = parse(wanted.words)
    assert (again or TradeFilter()) == wanted


@given(
    st.sampled_from(["BTCUSDT", "ETHUSDT", "SOLBTC"]), st.integers(0, 50), st.sampled_from(["btc", "buy", "sell", ">2"])
)
def test_narrower_filters_show_less(symbol: str, number: int, word: str) -> None:
    one = entry(symbol, number)
    if matches("usdt " + word, one):
        assert matches(word, one) or word == "btc"
