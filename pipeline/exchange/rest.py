"""Binance's REST endpoints over the ledger. Pure: a request target and the clock in, an answer out.

Source: binance-spot-api-docs, rest-api.md (endpoints, weights) and errors.md (codes and words).
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from pipeline.exchange.ledger import History, Ledger, PastTrade
from pipeline.exchange.limits import RequestWeight
from pipeline.exchange.recording import listed
from pipeline.exchange.trades import UNIT, decimal

PREFIX = "/api/v3/"
MAX_ROWS = 1000
DEFAULT_ROWS = 500
_QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY")
_NUMBER = re.compile(r"[0-9]{1,20}")


class Listing(NamedTuple):
    """A symbol's two assets, and the steps of its price and quantity in 10⁻⁸."""

    base: str
    quote: str
    tick: int = 1
    lot: int = 1


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str]


class _RequestError(Exception):
    def __init__(self, code: int, words: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(words)


class Rest:
    """Answers for one address: one request weight is counted for all (every client is on loopback)."""

    def __init__(self, ledger: Ledger, listings: Mapping[str, Listing], weight: RequestWeight | None = None) -> None:
        self._ledger = ledger
        self._listings = listings
        self._weight = weight or RequestWeight()
        self._endpoints: dict[str, tuple[int, Callable[[dict[str, str], int], object]]] = {
            "ping": (1, self._ping),
            "time": (1, self._time),
            "exchangeInfo": (20, self._exchange_info),
            "trades": (25, self._trades),
            "historicalTrades": (25, self._historical_trades),
            "aggTrades": (4, self._agg_trades),
        }

    def answer(self, target: str, now: int) -> Reply:
        """Answer a GET of ``target`` (path and query, percent-encoded) at ``now`` (ms). Never raises."""
        path, _, query_text = target.partition("?")
        weight, endpoint = self._endpoints.get(unquote(path).removeprefix(PREFIX), (1, None))
        status = self._weight.spend(weight, now)
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._weight.used), "X-MBX-USED-WEIGHT": str(self._weight.used)}
        try:
            if status != 200:
                headers["Retry-After"] = str(self._weight.retry_after(now))
                raise self._too_much(status)
            if endpoint is None:
                return Reply(404, b"<html><body><h2>404 Not found</h2></body></html>", headers)
            body = endpoint(_query(query_text), now)
        except _RequestError as error:
            return Reply(error.status, error_body(error.code, str(error)), headers)
        return Reply(200, msgspec.json.encode(body), headers)

    def _too_much(self, status: int) -> _RequestError:
        ending = "Please use WebSocket Streams for live updates to avoid"
        if status == 418:
            until = self._weight.banned_until
            return _RequestError(
                -1003, f"Way too much request weight used; IP banned until {until}. {ending} bans.", 418
            )
        limit = f"current limit is {self._weight.limit} request weight per 1 MINUTE"
        return _RequestError(-1003, f"Too much request weight used; {limit}. {ending} polling the API.", 429)

    def _ping(self, query: dict[str, str], _: int) -> object:
        _take(query)
        return {}

    def _time(self, query: dict[str, str], now: int) -> object:
        _take(query)
        return {"serverTime": now}

    def _exchange_info(self, query: dict[str, str], now: int) -> object:
        _take(query, "symbol", "symbols")
        if len(query) > 1:
            raise _RequestError(-1128, "Combination of optional parameters invalid.")
        symbols: tuple[str, ...] | list[str] = self._ledger.symbols
        if "symbol" in query:
            symbols = [_symbol(query)]
        elif "symbols" in query:
            try:
                symbols = msgspec.json.decode(query["symbols"], type=list[str])
            except (msgspec.DecodeError, RecursionError):
                allowed = '^\\["[\\w\\-._&&[^a-z]]{1,50}"(,"[\\w\\-._&&[^a-z]]{1,50}"){0,}\\]$'
                raise _illegal("symbols", allowed) from None
        if any(symbol not in self._listings for symbol in symbols):
            raise _RequestError(-1121, "Invalid symbol.")
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
        _take(query, "symbol", "limit")
        history = self._history(query)
        return [_trade(trade) for trade in history.last(_rows(query))]

    def _historical_trades(self, query: dict[str, str], _: int) -> object:
        _take(query, "symbol", "limit", "fromId")
        history, rows, from_id = self._history(query), _rows(query), _number(query, "fromId")
        return [_trade(trade) for trade in (history.last(rows) if from_id is None else history.from_id(from_id, rows))]

    def _agg_trades(self, query: dict[str, str], _: int) -> object:
        _take(query, "symbol", "limit", "fromId", "startTime", "endTime")
        history, rows = self._history(query), _rows(query)
        from_id, start, end = (_number(query, name) for name in ("fromId", "startTime", "endTime"))
        if from_id is not None and (start is not None or end is not None):
            raise _RequestError(-1128, "Combination of optional parameters invalid.")
        return [_aggregate(group) for group in history.aggregates(rows, from_id=from_id, start=start, end=end)]

    def _history(self, query: dict[str, str]) -> History:
        history = self._ledger.history(_symbol(query))
        if history is None:
            raise _RequestError(-1121, "Invalid symbol.")
        return history


def error_body(code: int, words: str) -> bytes:
    """Return Binance's error object as JSON."""
    return msgspec.json.encode({"code": code, "msg": words})


def listing_of(symbol: str) -> Listing:
    """Return the listing of a recorded symbol, told apart by the usual quote assets."""
    quote = next((quote for quote in _QUOTES if symbol.endswith(quote) and symbol != quote), "")
    return Listing(symbol.removesuffix(quote), quote)


def _illegal(name: str, allowed: str) -> _RequestError:
    return _RequestError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{allowed}'.")


def _query(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    query = dict(pairs)
    if len(query) != len(pairs):
        raise _RequestError(-1101, "Duplicate values for a parameter detected.")
    return query


def _take(query: dict[str, str], *names: str) -> None:
    read = len(query.keys() & set(names))
    if read != len(query):
        words = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(query)}'."
        raise _RequestError(-1104, words)
    for name, value in query.items():
        if not value:
            raise _RequestError(-1105, f"Parameter '{name}' was empty.")


def _symbol(query: dict[str, str]) -> str:
    if "symbol" not in query:
        raise _RequestError(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    symbol = query["symbol"]
    if not listed(symbol):
        raise _illegal("symbol", r"^[\w\-._&&[^a-z]]{1,50}$")
    return symbol


def _number(query: dict[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise _illegal(name, "^[0-9]{1,20}$")
    number = int(text)
    if number >= 2**63:
        raise _RequestError(-1108, f"Parameter '{name}' overflowed.")
    return number


def _rows(query: dict[str, str]) -> int:
    rows = _number(query, "limit")
    if rows == 0:
        raise _RequestError(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(rows or DEFAULT_ROWS, MAX_ROWS)


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
