"""What a REST request asks for: its parameters, and Binance's words for those that are wrong. Pure.

Source: binance-spot-api-docs, rest-api.md and errors.md.
"""

import re
from urllib.parse import parse_qsl

import msgspec

from pipeline.exchange.recording import listed

MAX_ROWS = 1000
DEFAULT_ROWS = 500
_NUMBER = re.compile(r"[0-9]{1,20}")


class RequestError(Exception):
    """A request that is refused: Binance's code and words, and the HTTP status."""

    def __init__(self, code: int, words: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(words)


def error_body(code: int, words: str) -> bytes:
    """Return Binance's error object as JSON."""
    return msgspec.json.encode({"code": code, "msg": words})


def illegal(name: str, allowed: str) -> RequestError:
    """Return what to raise for a value outside of what is allowed."""
    return RequestError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{allowed}'.")


def query_of(text: str) -> dict[str, str]:
    """Return the parameters of a query, decoded.

    Raises:
        RequestError: one is there twice.
    """
    pairs = parse_qsl(text, keep_blank_values=True)
    query = dict(pairs)
    if len(query) != len(pairs):
        raise RequestError(-1101, "Duplicate values for a parameter detected.")
    return query


def take(query: dict[str, str], *names: str) -> None:
    """Refuse parameters other than these, and empty ones.

    Raises:
        RequestError: there is one.
    """
    read = len(query.keys() & set(names))
    if read != len(query):
        words = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(query)}'."
        raise RequestError(-1104, words)
    for name, value in query.items():
        if not value:
            raise RequestError(-1105, f"Parameter '{name}' was empty.")


def symbol_of(query: dict[str, str]) -> str:
    """Return the parameter ``symbol``.

    Raises:
        RequestError: it is missing, or none could be.
    """
    if "symbol" not in query:
        raise RequestError(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    symbol = query["symbol"]
    if not listed(symbol):
        raise illegal("symbol", r"^[\w\-._&&[^a-z]]{1,50}$")
    return symbol


def symbols_of(query: dict[str, str]) -> list[str]:
    """Return the parameter ``symbols``, a JSON array.

    Raises:
        RequestError: it is none.
    """
    try:
        return msgspec.json.decode(query["symbols"], type=list[str])
    except (msgspec.DecodeError, RecursionError):
        allowed = '^\\["[\\w\\-._&&[^a-z]]{1,50}"(,"[\\w\\-._&&[^a-z]]{1,50}"){0,}\\]$'
        raise illegal("symbols", allowed) from None


def number_of(query: dict[str, str], name: str) -> int | None:
    """Return a number, or None where it is not given.

    Raises:
        RequestError: it is none of 64 bits.
    """
    text = query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise illegal(name, "^[0-9]{1,20}$")
    number = int(text)
    if number >= 2**63:
        raise RequestError(-1108, f"Parameter '{name}' overflowed.")
    return number


def rows_of(query: dict[str, str]) -> int:
    """Return the parameter ``limit``, the default where it is not given, the most where it is more.

    Raises:
        RequestError: it is no number above 0.
    """
    rows = number_of(query, "limit")
    if rows == 0:
        raise RequestError(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(rows or DEFAULT_ROWS, MAX_ROWS)
