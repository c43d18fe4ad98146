"""What a trade looks like inside the exchange, and its frame on the wire. No I/O, no clock.

Prices and quantities are whole numbers of 10⁻⁸ (Binance sends eight decimals), so that nothing is ever rounded.
"""

import re
from typing import NamedTuple

import msgspec

UNIT = 100_000_000
"""10⁻⁸ is one; a price of 1 is this."""
_INT64 = 2**63
_TRADE = (
    b'{"stream":"%b@trade","data":{"e":"trade","E":%d,"s":"%b","t":%d,'
    b'"p":"%d.%08d","q":"%d.%08d","T":%d,"m":%b,"M":true}}'
)
_TIMES = re.compile(rb'("[ET]":\d+)')
_DATA = b',"data":'
_STREAM = re.compile(rb'\{"stream":"([^"@]+)@')
_SYMBOL = re.compile(rb'"s":"([^"\\]+)"')


class MadeTrade(NamedTuple):
    """One trade as the exchange made it; times in milliseconds, price and quantity in 10⁻⁸."""

    symbol: str
    """As in ``exchangeInfo``, upper case."""
    trade_id: int
    price: int
    quantity: int
    event_time: int
    trade_time: int
    buyer_is_maker: bool


class Frame(NamedTuple):
    """The text of one combined-stream frame and the symbol that decides who gets it."""

    symbol: str | None
    """Lower case, as in stream names; None where the text names none: then every subscriber gets it."""
    text: bytes


def decimal(value: int) -> str:
    """Return a number of 10⁻⁸ as Binance writes it: ``61837.63000000``."""
    return f"{value // UNIT}.{value % UNIT:08d}"


def trade_frame(trade: MadeTrade) -> Frame:
    """Return the combined-stream frame of a trade: keys and their order as Binance sends them since June 2024."""
    name, trade_id, price, quantity, event_time, trade_time, sold = trade
    stream = name.lower()
    text = _TRADE % (
        stream.encode(),
        event_time,
        name.encode(),
        trade_id,
        price // UNIT,
        price % UNIT,
        quantity // UNIT,
        quantity % UNIT,
        trade_time,
        b"true" if sold else b"false",
    )
    return Frame(stream, text)


def rendered(text: bytes, *, combined: bool, microseconds: bool) -> bytes:
    """Return a combined-stream frame in the form a connection asked for.

    A raw stream carries the payload alone. With ``timeUnit=MICROSECOND`` the times have three more digits. A text
    that is no combined frame (a malformed one, say) stays as it is.
    """
    if not combined and text.startswith(b'{"stream":') and text.endswith(b"}"):
        at = text.find(_DATA)
        if at >= 0:
            text = text[at + len(_DATA) : -1]
    return _TIMES.sub(rb"\g<1>000", text) if microseconds else text


def frame_of(text: bytes) -> Frame:
    """Return the frame of a recorded text. The symbol comes from the stream's name, else from the payload's ``s``."""
    found = _STREAM.match(text) or _SYMBOL.search(text)
    return Frame(found.group(1).decode("utf-8", "replace").lower() if found else None, text)


class _Payload(msgspec.Struct, frozen=True, gc=False):
    e: str
    E: int
    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool


class _Combined(msgspec.Struct, frozen=True, gc=False):
    data: _Payload


_combined = msgspec.json.Decoder(_Combined)
_raw = msgspec.json.Decoder(_Payload)
_DECIMAL = re.compile(r"(\d{1,11})(?:\.(\d{1,8}))?", re.ASCII)


def trade_of(text: bytes) -> MadeTrade | None:
    """Return the trade of a recorded frame, or None where it is none that REST could serve.

    A recording may hold anything (depth, book tickers, malformed frames made on purpose): none of it is an error here.
    """
    if b'"trade"' not in text:
        return None
    try:
        data = _combined.decode(text).data if text.startswith(b'{"stream":') else _raw.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    price, quantity = _units(data.p), _units(data.q)
    if data.e != "trade" or price is None or quantity is None or not all(0 <= n < _INT64 for n in (data.t, data.T)):
        return None
    return MadeTrade(data.s, data.t, price, quantity, data.E, data.T, data.m)


def _units(text: str) -> int | None:
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return None
    value = int(found[1]) * UNIT + int((found[2] or "").ljust(8, "0"))
    return value if value < _INT64 else None
