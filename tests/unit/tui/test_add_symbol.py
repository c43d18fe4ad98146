"""Suggestions and the check of a new symbol's name."""

from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.screens.add_symbol import Names
from pipeline.feed.listing import Listed

LISTED = (
    Listed("BCCUSDT", "BREAK", "BCC", "USDT"),
    Listed("BTCEUR", "TRADING", "BTC", "EUR"),
    Listed("BTCUSDT", "TRADING", "BTC", "USDT"),
    Listed("ETHBTC", "TRADING", "ETH", "BTC"),
    Listed("SOLUSDT", "TRADING", "SOL", "USDT"),
    Listed("WBTCUSDT", "TRADING", "WBTC", "USDT"),
    Listed("币安人生USDT", "TRADING", "币安人生", "USDT"),
)


def names(*known: str) -> Names:
    made = Names(known)
    made.take(LISTED)
    return made


def test_the_best_match_comes_first() -> None:
    assert [name for name, _ in names().suggest("btc")] == ["BTCUSDT", "BTCEUR", "WBTCUSDT", "ETHBTC"]
    assert names().suggest("币安") == [("币安人生USDT", "币安人生 / USDT")]
    assert names().suggest("bcc") == [("BCCUSDT", "BCC / USDT · BREAK")]
    assert names().suggest("") == []


def test_what_is_there_already_is_not_suggested() -> None:
    assert [name for name, _ in names("BTCUSDT").suggest("btc")] == ["BTCEUR", "WBTCUSDT", "ETHBTC"]
    assert names("BTCUSDT").check("btcusdt") == "BTCUSDT is there already"


def test_a_listed_name_is_taken_and_another_one_is_not() -> None:
    made = names()
    assert made.check(" solusdt ") is None
    assert made.check("币安人生USDT") is None
    assert made.check("NOUSDT") == "the exchange does not list NOUSDT"
    assert made.check("NOUSDT") is not None, "also the second time"
    assert made.check("") == "a name is wanted"
    assert made.check("BTC,USDT") == "BTC,USDT cannot be a symbol"


def test_one_without_trades_is_told_first() -> None:
    made = names()
    assert made.check("bccusdt") == "BCCUSDT is listed, but has no trades now (BREAK). Enter again adds it"
    assert made.check("bccusdt") is None


def test_unchecked_only_after_it_was_told_so() -> None:
    made = Names(())
    assert made.check("BTCUSDT") == "the exchange's list is still being asked for"
    made.error = "https://api.binance.com: All connection attempts failed"
    words = (
        "it cannot be checked: https://api.binance.com: All connection attempts failed. Enter again adds it unchecked"
    )
    assert made.check("BTCUSDT") == words
    assert made.check("ETHUSDT") == words, "another name is told again"
    assert made.check("ETHUSDT") is None
    assert made.check("x y") is not None


@given(st.text(max_size=30))
def test_any_text_is_suggested_for_and_checked(text: str) -> None:
    made = names("ETHBTC")
    suggested = [name for name, _ in made.suggest(text)]
    assert all(text.strip().upper() in name for name in suggested)
    assert "ETHBTC" not in suggested
    if made.check(text) is None:
        assert text.strip().upper() in {one.symbol for one in LISTED}
