"""Binance's REST endpoints over the ledger. Pure: a request target and the clock in, an answer out.

Source: binance-spot-api-docs, rest-api.md (endpoints, weights) and errors.md (codes and words).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from pipeline.exchange.ledger import History, Ledger, PastTrade
from pipeline.exchange.limits import RequestWeight
from pipeline.exchange.query import (
    RequestError,
    error_body,
    number_of,
    query_of,
    rows_of,
    symbol_of,
    symbols_of,
    take,
)
from pipeline.exchange.trades import UNIT, decimal

PREFIX = "/api/v3/"
_QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY")


class Listing(NamedTuple):
    """A symbol's two assets, and the steps of its price and quantity in 10⁻⁸."""

    base: str
    quote: str
    tick: int = 1
    lot: int = 1


Weight = int | Callable[[str], int]
"""Of an endpoint's requests: always the same, or by the query."""


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str]


class Rest:
    """Answers for one address: one request weight is counted for all (every client is on loopback)."""

    def __init__(self, ledger: Ledger, listings: Mapping[str, Listing], weight: RequestWeight | None = None) -> None:
        self._ledger = ledger
        self._listings = listings
        self._weight = weight or RequestWeight()
        self._endpoints: dict[str, tuple[Weight, Callable[[dict[str, str], int], object]]] = {
            "ping": (1, self._ping),
            "time": (1, self._time),
            "exchangeInfo": (20, self._exchange_info),
            "trades": (25, self._trades),
            "historicalTrades": (25, self._historical_trades),
            "aggTrades": (4, self._agg_trades),
            "ticker/24hr": (_ticker_weight, self._ticker),
        }

    def answer(self, target: str, now: int) -> Reply:
        """Answer a GET of ``target`` (path and query, percent-encoded) at ``now`` (ms). Never raises."""
        path, _, query_text = target.partition("?")
        weight, endpoint = self._endpoints.get(unquote(path).removeprefix(PREFIX), (1, None))
        status = self._weight.spend(weight(query_text) if callable(weight) else weight, now)
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._weight.used), "X-MBX-USED-WEIGHT": str(self._weight.used)}
        try:
            if status != 200:
                headers["Retry-After"] = str(self._weight.retry_after(now))
                raise self._too_much(status)
            if endpoint is None:
                return Reply(404, b"<html><body><h2>404 Not found</h2></body></html>", headers)
            body = endpoint(query_of(query_text), now)
        except RequestError as error:
            return Reply(error.status, error_body(error.code, str(error)), headers)
        return Reply(200, msgspec.json.encode(body), headers)

    def _too_much(self, status: int) -> RequestError:
        ending = "Please use WebSocket Streams for live updates to avoid"
        if status == 418:
            until = self._weight.banned_until
            return RequestError(
                -1003, f"Way too much request weight used; IP banned until {until}. {ending} bans.", 418
            )
        limit = f"current limit is {self._weight.limit} request weight per 1 MINUTE"
        return RequestError(-1003, f"Too much request weight used; {limit}. {ending} polling the API.", 429)

    def _ping(self, query: dict[str, str], _: int) -> object:
        take(query)
        return {}

    def _time(self, query: dict[str, str], now: int) -> object:
        take(query)
        return {"serverTime": now}

    def _exchange_info(self, query: dict[str, str], now: int) -> object:
        take(query, "symbol", "symbols", "showPermissionSets")  # there are none to show
        if "symbol" in query and "symbols" in query:
            raise RequestError(-1128, "Combination of optional parameters invalid.")
        symbols: tuple[str, ...] | list[str] = self._ledger.symbols
        if "symbol" in query:
            symbols = [symbol_of(query)]
        elif "symbols" in query:
            symbols = symbols_of(query)
        if any(symbol not in self._listings for symbol in symbols):
            raise RequestError(-1121, "Invalid symbol.")
        return {
            "timezone": "UTC",
            "serverTime": now,
            "rateLimits": [
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": self._weight.limit,
                },
                {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
            ],
            "exchangeFilters": [],
            "symbols": [_listed_symbol(symbol, self._listings[symbol]) for symbol in symbols],
        }

    def _trades(self, query: dict[str, str], _: int) -> object:
        take(query, "symbol", "limit")
        history = self._history(query)
        return [_trade(trade) for trade in history.last(rows_of(query))]

    def _historical_trades(self, query: dict[str, str], _: int) -> object:
        take(query, "symbol", "limit", "fromId")
        history, rows, from_id = self._history(query), rows_of(query), number_of(query, "fromId")
        return [_trade(trade) for trade in (history.last(rows) if from_id is None else history.from_id(from_id, rows))]

    def _agg_trades(self, query: dict[str, str], _: int) -> object:
        take(query, "symbol", "limit", "fromId", "startTime", "endTime")
        history, rows = self._history(query), rows_of(query)
        from_id, start, end = (number_of(query, name) for name in ("fromId", "startTime", "endTime"))
        if from_id is not None and (start is not None or end is not None):
            raise RequestError(-1128, "Combination of optional parameters invalid.")
        return [_aggregate(group) for group in history.aggregates(rows, from_id=from_id, start=start, end=end)]

    def _ticker(self, query: dict[str, str], now: int) -> object:
        take(query, "symbol", "symbols", "type")
        if query.get("type") != "MINI":
            raise RequestError(-1130, "Data sent for parameter 'type' is not valid.")  # FULL is not simulated
        if "symbol" in query and "symbols" in query:
            raise RequestError(-1128, "Combination of optional parameters invalid.")
        if "symbol" in query:
            return self._history(query).day.ticker(query["symbol"], now)
        symbols = symbols_of(query) if "symbols" in query else self._ledger.symbols
        return [self._history({"symbol": symbol}).day.ticker(symbol, now) for symbol in symbols]

    def _history(self, query: dict[str, str]) -> History:
        history = self._ledger.history(symbol_of(query))
        if history is None:
            raise RequestError(-1121, "Invalid symbol.")
        return history


def listing_of(symbol: str) -> Listing:
    """Return the listing of a recorded symbol, told apart by the usual quote assets."""
    quote = next((quote for quote in _QUOTES if symbol.endswith(quote) and symbol != quote), "")
    return Listing(symbol.removesuffix(quote), quote)


def _ticker_weight(query_text: str) -> int:
    """Return what a request for 24-hour tickers weighs: by how many symbols it names."""
    query = dict(parse_qsl(query_text))
    if "symbol" in query:
        return 2
    asked = query["symbols"].count('"') // 2 if "symbols" in query else 101
    return 2 if asked <= 20 else 40 if asked <= 100 else 80


def _trade(trade: PastTrade) -> dict[str, object]:
    return {
        "id": trade.trade_id,
        "price": decimal(trade.price),
        "qty": decimal(trade.quantity),
        "quoteQty": decimal(trade.price * trade.quantity // UNIT),
        "time": trade.time,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def _aggregate(trades: list[PastTrade]) -> dict[str, object]:
    first, last = trades[0], trades[-1]
    return {
        "a": first.aggregate_id,
        "p": decimal(first.price),
        "q": decimal(sum(trade.quantity for trade in trades)),
        "f": first.trade_id,
        "l": last.trade_id,
        "T": first.time,
        "m": first.buyer_is_maker,
        "M": True,
    }


def _listed_symbol(symbol: str, listing: Listing) -> dict[str, object]:
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": decimal(listing.tick)},
            {"filterType": "LOT_SIZE", "stepSize": decimal(listing.lot)},
        ],
    }
