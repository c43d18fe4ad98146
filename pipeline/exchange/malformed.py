"""Malformed frames, each built from a real one: what the pipeline must refuse. Pure.

The list follows what the design calls "Input": values that would be silently wrong if taken, texts that are no trade,
hostile text in a symbol. None of them ends a WebSocket connection by its size (under 1 MiB); the last one is no UTF-8,
for which a client that decodes text frames must close the connection itself (RFC 6455, 8.1).
"""

import re
from collections.abc import Callable


def _field(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'("%s":)("(?:[^"\\]|\\.)*"|[^,}]*)' % name.encode())


def _with(name: str, value: bytes) -> Callable[[bytes], bytes]:
    """Replace a field's value by other JSON text."""
    pattern = _field(name)
    return lambda text: pattern.sub(lambda found: found[1] + value, text, count=1)


def _without(name: str) -> Callable[[bytes], bytes]:
    pattern = re.compile(rb"," + _field(name).pattern)
    return lambda text: pattern.sub(b"", text, count=1)


def _scaled(by: Callable[[int], int]) -> Callable[[bytes], bytes]:
    """Give both times another unit."""
    pattern = re.compile(rb'("[ET]":)(\d+)')
    return lambda text: pattern.sub(lambda found: found[1] + b"%d" % by(int(found[2])), text)


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "no price": _without("p"),
    "no trade id": _without("t"),
    "no event time": _without("E"),
    "price NaN in quotes": _with("p", b'"NaN"'),
    "price Infinity": _with("p", b'"Infinity"'),
    "price 1e400": _with("p", b'"1e400"'),
    "bare NaN": _with("p", b"NaN"),
    "price with underscore": _with("p", b'"1_000"'),
    "Arabic digits": _with("p", '"١٢٣٤"'.encode()),
    "true as a price": _with("p", b"true"),
    "5,000 digits": _with("p", b'"' + b"9" * 5000 + b'"'),
    "negative price": _with("p", b'"-61837.63000000"'),
    "negative quantity": _with("q", b'"-0.02000000"'),
    "m as text": _with("m", b'"false"'),
    "trade id 1.9": _with("t", b"1.9"),
    "trade id 2^63": _with("t", b"9223372036854775808"),
    "times in seconds": _scaled(lambda time: time // 1000),
    "times in microseconds": _scaled(lambda time: time * 1000),
    "aggTrade": _with("e", b'"aggTrade"'),
    "array": lambda text: b"[" + text + b"]",
    "null": lambda _: b"null",
    "string": lambda _: b'"trade"',
    "number": lambda _: b"12345",
    "empty": lambda _: b"",
    "cut short": lambda text: text[: len(text) * 2 // 3],
    "trailing bytes": lambda text: text + b"}x",
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "numeric symbol": _with("s", b"42"),
    "lone surrogate": _with("s", rb'"\ud800"'),
    "nested 100,000 deep": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "duplicate keys": lambda text: text.replace(b'"T":', b'"p":"1.00000000","T":', 1),
    "symbol of another stream": _with("s", b'"XXXUSDT"'),
    "1 MB of text": _with("s", b'"' + b"A" * 1_000_000 + b'"'),
    "escape sequences": _with("s", rb'"\u001b[2J\u001b]0;owned\u0007"'),
    "NUL": _with("s", rb'"BTC\u0000USDT"'),
    "right-to-left override": _with("s", rb'"BTC\u202eTDSU"'),
    "markup": _with("s", b'"[/b]"'),
    "SQL quote": _with("s", b'"BTC\'; DROP TABLE crypto.binance_trade; --"'),
    "empty symbol": _with("s", b'""'),
    "invalid UTF-8": _with("s", b'"BTC\xff\xfe"'),
}
"""Name → how it is made from the text of a combined-stream trade frame."""

KINDS = tuple(MALFORMED)


def malformed(text: bytes, number: int) -> bytes:
    """Return the ``number``-th kind of malformed frame (cycling), made from the text of a trade frame."""
    return MALFORMED[KINDS[number % len(KINDS)]](text)
