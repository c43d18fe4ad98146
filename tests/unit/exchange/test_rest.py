import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.exchange.ledger import Ledger
from pipeline.exchange.limits import RequestWeight
from pipeline.exchange.rest import Listing, Reply, Rest, listing_of
from pipeline.exchange.trades import MadeTrade

NOW = 1_790_000_000_000


def rest(weight: int = 10**9) -> Rest:
    ledger = Ledger(["BTCUSDT", "币安人生USDT"])
    ledger.record(
        MadeTrade("BTCUSDT", n, 6183763000000, 2000000, NOW + n // 2, NOW + n // 2, n % 4 < 2) for n in range(2_000)
    )
    listings = {"BTCUSDT": Listing("BTC", "USDT", 1_000_000, 1_000), "币安人生USDT": listing_of("币安人生USDT")}
    return Rest(ledger, listings, RequestWeight(weight))


def get(target: str) -> Any:
    reply = rest().answer("/api/v3/" + target, NOW)
    assert reply.status == 200
    return json.loads(reply.body)


def test_ping_and_time() -> None:
    assert get("ping") == {}
    assert get("time") == {"serverTime": NOW}


def test_historical_trades_from_an_id() -> None:
    rows = get("historicalTrades?symbol=BTCUSDT&fromId=1000&limit=3")
    assert [row["id"] for row in rows] == [1000, 1001, 1002]
    assert rows[0] == {
        "id": 1000,
        "price": "61837.63000000",
        "qty": "0.02000000",
        "quoteQty": "1236.75260000",
        "time": NOW + 500,
        "isBuyerMaker": True,
        "isBestMatch": True,
    }


def test_rows_have_a_default_and_a_limit() -> None:
    assert [row["id"] for row in get("trades?symbol=BTCUSDT&limit=2")] == [1998, 1999]
    assert len(get("trades?symbol=BTCUSDT")) == 500
    assert len(get("historicalTrades?symbol=BTCUSDT&fromId=0&limit=5000")) == 1000
    assert get("trades?symbol=" + quote("币安人生USDT")) == []


def test_aggregated_trades() -> None:
    rows = get(f"aggTrades?symbol=BTCUSDT&startTime={NOW}&endTime={NOW + 1}")
    assert rows == [
        {"a": 0, "p": "61837.63000000", "q": "0.04000000", "f": 0, "l": 1, "T": NOW, "m": True, "M": True},
        {"a": 1, "p": "61837.63000000", "q": "0.04000000", "f": 2, "l": 3, "T": NOW + 1, "m": False, "M": True},
    ]


def test_tickers_of_24_hours() -> None:
    asked = quote(json.dumps(["BTCUSDT", "币安人生USDT"]))
    both = get(f"ticker/24hr?symbols={asked}&type=MINI")
    assert [row["symbol"] for row in both] == ["BTCUSDT", "币安人生USDT"]
    assert (both[0]["lastPrice"], both[0]["count"], both[1]["count"]) == ("61837.63000000", 2_000, 0)
    assert get("ticker/24hr?symbol=BTCUSDT&type=MINI") == both[0]
    assert get("ticker/24hr?type=MINI") == both


@pytest.mark.parametrize(
    ("query", "weight"),
    [
        ("symbol=BTCUSDT", 2),
        ('symbols=["BTCUSDT"]', 2),
        (f"symbols={json.dumps([f'S{n}' for n in range(21)])}", 40),
        (f"symbols={json.dumps([f'S{n}' for n in range(101)])}", 80),
        ("", 80),
    ],
)
def test_a_ticker_weighs_by_the_number_of_symbols(query: str, weight: int) -> None:
    reply = rest().answer(f"/api/v3/ticker/24hr?{query}&type=MINI", NOW)
    assert reply.headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


def test_exchange_info() -> None:
    info = get("exchangeInfo")
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["BTCUSDT", "币安人生USDT"]
    assert {symbol["status"] for symbol in info["symbols"]} == {"TRADING"}
    assert (info["symbols"][1]["baseAsset"], info["symbols"][1]["quoteAsset"]) == ("币安人生", "USDT")
    assert info["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"
    assert [symbol["symbol"] for symbol in get("exchangeInfo?symbol=BTCUSDT")["symbols"]] == ["BTCUSDT"]
    asked = quote(json.dumps(["币安人生USDT"]))
    assert [symbol["symbol"] for symbol in get(f"exchangeInfo?symbols={asked}")["symbols"]] == ["币安人生USDT"]


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("trades?symbol=NOSUCH", -1121, "Invalid symbol."),
        ("exchangeInfo?symbol=NOSUCH", -1121, "Invalid symbol."),
        ('exchangeInfo?symbols=["NOSUCH"]', -1121, "Invalid symbol."),
        ("exchangeInfo?symbols=BTCUSDT", -1100, "Illegal characters found in parameter 'symbols'; legal range is"),
        ("exchangeInfo?symbol=BTCUSDT&symbols=[]", -1128, "Combination of optional parameters invalid."),
        ("trades?symbol=btcusdt", -1100, "Illegal characters found in parameter 'symbol'; legal range is"),
        ("trades", -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ("trades?symbol=", -1105, "Parameter 'symbol' was empty."),
        ("trades?symbol=BTCUSDT&limit=x", -1100, "Illegal characters found in parameter 'limit'; legal range is"),
        ("trades?symbol=BTCUSDT&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
        ("trades?symbol=BTCUSDT&fromId=1", -1104, "Not all sent parameters were read; read '1' parameter(s) but was"),
        ("trades?symbol=BTCUSDT&symbol=BTCUSDT", -1101, "Duplicate values for a parameter detected."),
        ("historicalTrades?symbol=BTCUSDT&fromId=99999999999999999999", -1108, "Parameter 'fromId' overflowed."),
        ("aggTrades?symbol=BTCUSDT&fromId=1&endTime=5", -1128, "Combination of optional parameters invalid."),
        ("ticker/24hr?symbol=BTCUSDT", -1130, "Data sent for parameter 'type' is not valid."),
        ("ticker/24hr?symbol=BTCUSDT&symbols=[]&type=MINI", -1128, "Combination of optional parameters invalid."),
        ('ticker/24hr?symbols=["NOSUCH"]&type=MINI', -1121, "Invalid symbol."),
    ],
)
def test_errors_have_binances_codes_and_words(target: str, code: int, words: str) -> None:
    reply = rest().answer("/api/v3/" + target, NOW)
    error = json.loads(reply.body)
    assert (reply.status, error["code"]) == (400, code)
    assert error["msg"].startswith(words)


def test_weights_are_counted_and_too_much_is_told_then_banned() -> None:
    server = rest(weight=50)

    def trades() -> Reply:
        return server.answer("/api/v3/trades?symbol=BTCUSDT", NOW)

    assert [trades().headers["X-MBX-USED-WEIGHT-1M"] for _ in range(2)] == ["25", "50"]
    refused = trades()
    assert refused.status == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert json.loads(refused.body) == {
        "code": -1003,
        "msg": "Too much request weight used; current limit is 50 request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
    }
    banned = [trades() for _ in range(20)][-1]
    assert (banned.status, banned.headers["Retry-After"]) == (418, "120")
    assert f"IP banned until {NOW + 120_000}." in json.loads(banned.body)["msg"]


@settings(deadline=None)
@given(st.text())
def test_any_target_is_answered(target: str) -> None:
    server = rest()
    for path in (
        target,
        "/api/v3/" + target,
        "/api/v3/trades?" + target,
        "/api/v3/exchangeInfo?symbols=" + target,
        "/api/v3/ticker/24hr?type=MINI&symbols=" + target,
    ):
        assert server.answer(path, NOW).status in (200, 400, 404)


def test_recorded_symbols_are_split_by_the_usual_quotes() -> None:
    assert listing_of("ETHBTC") == Listing("ETH", "BTC")
    assert listing_of("USDT") == Listing("USDT", "")
