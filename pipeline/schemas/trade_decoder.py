"""A trade's frame → ``Trade``, read by hand where it is as nearly all are; any other is left to fastavro.

The counterpart of ``trade_encoder``, several times as fast as fastavro. It knows one shape: the event type ``trade``,
times of six bytes (2004 to 2109), a trade id of three bytes or more. Behind the trade id everything has its fixed
place. Every byte is accounted for: what is returned is what fastavro would have returned, byte for byte
(``tests/unit/schemas/test_trade_decoder.py``), or nothing. It knows no registry.
"""

import struct
from functools import lru_cache

from pipeline.model import Source, Trade

_EVENT_TYPE = b"\x0atrade"
_TIME = struct.Struct("<H4s").unpack_from
_TAIL = struct.Struct("<ddH4sBBH4sB").unpack_from
_TAIL_SIZE = 31
_MORE = 0x8080
"""Both low bytes of a long say that more follow."""
_SHORTEST_ID = 3
_LONGEST_ID = 8
_SOURCES = {index << 1: source for index, source in enumerate(Source)}


@lru_cache(maxsize=4096)
def _high(data: bytes) -> int | None:
    """Return what the bytes of a long behind its two low ones stand for; None where they are not all of it."""
    n = 0
    for place, byte in enumerate(data):
        last = place == len(data) - 1
        if (byte < 0x80) != last:
            return None
        n |= (byte & 0x7F) << (14 + 7 * place)
    return n


@lru_cache(maxsize=4096)
def _symbol(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def plain_trade(data: bytes) -> Trade | None:
    """Return the trade of a frame written with the present schema, or None where its shape is another one."""
    end = len(data) - _TAIL_SIZE
    if end < 21 or data[5:11] != _EVENT_TYPE:
        return None
    size = data[17]
    at = 18 + (size >> 1)
    if size & 0x81 or not _SHORTEST_ID <= end - at <= _LONGEST_ID:
        return None
    event_low, event_rest = _TIME(data, 11)
    price, quantity, trade_low, trade_rest, maker, ignore, received_low, received_rest, source = _TAIL(data, end)
    id_low = data[at] | data[at + 1] << 8
    if event_low & trade_low & received_low & id_low & _MORE != _MORE or maker > 1 or ignore > 1:
        return None
    event_high, trade_high, received_high = _high(event_rest), _high(trade_rest), _high(received_rest)
    id_high, symbol, came_by = _high(data[at + 2 : end]), _symbol(data[18:at]), _SOURCES.get(source)
    if event_high is None or trade_high is None or received_high is None:
        return None
    if id_high is None or symbol is None or came_by is None:
        return None
    if (event_low | trade_low | received_low | id_low) & 1:
        return None  # a negative one
    return Trade(
        "trade",
        (event_low & 0x7F | event_low >> 1 & 0x3F80 | event_high) >> 1,
        symbol,
        (id_low & 0x7F | id_low >> 1 & 0x3F80 | id_high) >> 1,
        price,
        quantity,
        (trade_low & 0x7F | trade_low >> 1 & 0x3F80 | trade_high) >> 1,
        maker == 1,
        ignore == 1,
        (received_low & 0x7F | received_low >> 1 & 0x3F80 | received_high) >> 1,
        came_by,
    )
