"""Frames: every line of hostile input by name, arbitrary bytes, and the two ways held against each other."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feed.examine import MAX_FRAME, examine
from pipeline.feed.wire import Control, ControlKind, Ignored, decode
from pipeline.model import Reason, Rejection, Source, Trade

NOW = 1_723_161_256_000
FRAME = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,'
    b'"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
)
TRADE = Trade("trade", 1723161255343, "BTCUSDT", 3735683259, 61837.63, 0.02, 1723161255342, True, True, NOW, Source.WS)
DATA: dict[str, Any] = json.loads(FRAME)["data"]


def swap(old: str, new: str | bytes) -> bytes:
    assert old.encode() in FRAME
    return FRAME.replace(old.encode(), new if isinstance(new, bytes) else new.encode(), 1)


def without(name: str) -> bytes:
    data = {key: value for key, value in DATA.items() if key != name}
    return json.dumps({"stream": "btcusdt@trade", "data": data}).encode()


def price(text: str) -> bytes:
    return swap('"61837.63000000"', text)


REFUSED: dict[str, tuple[bytes, Reason, str | None]] = {
    # silently wrong if taken
    **{f"missing {name}": (without(name), Reason.MISSING_FIELD, name) for name in DATA},
    "p is the text NaN": (price('"NaN"'), Reason.BAD_NUMBER, "p"),
    "p is the text Infinity": (price('"Infinity"'), Reason.BAD_NUMBER, "p"),
    "p is the text -inf": (price('"-inf"'), Reason.BAD_NUMBER, "p"),
    "p is the text 1e400": (price('"1e400"'), Reason.BAD_NUMBER, "p"),
    "p is the text 1e5": (price('"1e5"'), Reason.BAD_NUMBER, "p"),
    "p is the number 1e400": (price("1e400"), Reason.WRONG_TYPE, "p"),
    "p is a bare NaN": (price("NaN"), Reason.NOT_JSON, None),
    "p is a bare Infinity": (price("-Infinity"), Reason.NOT_JSON, None),
    "p has an underscore": (price('"1_000"'), Reason.BAD_NUMBER, "p"),
    "p has Arabic digits": (price('"\u0661\u0662\u0663"'), Reason.BAD_NUMBER, "p"),
    "p has full-width digits": (price('"\uff11\uff12"'), Reason.BAD_NUMBER, "p"),
    "p is true": (price("true"), Reason.WRONG_TYPE, "p"),
    "p is a number": (price("61837.63"), Reason.WRONG_TYPE, "p"),
    "p is null": (price("null"), Reason.WRONG_TYPE, "p"),
    "p is empty": (price('""'), Reason.BAD_NUMBER, "p"),
    "p is a blank": (price('" 1.0"'), Reason.BAD_NUMBER, "p"),
    "p ends in a newline": (price('"1.0\\n"'), Reason.BAD_NUMBER, "p"),
    "p has two points": (price('"1.2.3"'), Reason.BAD_NUMBER, "p"),
    "p ends in a point": (price('"1."'), Reason.BAD_NUMBER, "p"),
    "p has a plus": (price('"+1.0"'), Reason.BAD_NUMBER, "p"),
    "p is hexadecimal": (price('"0x1p3"'), Reason.BAD_NUMBER, "p"),
    "p has 5,000 digits": (price('"' + "1" * 5000 + '"'), Reason.BAD_NUMBER, "p"),
    "p is a number of 5,000 digits": (price("1" * 5000), Reason.WRONG_TYPE, "p"),
    "p is negative": (price('"-61837.63"'), Reason.OUT_OF_RANGE, "p"),
    "q is negative": (swap('"0.02000000"', '"-0.02"'), Reason.OUT_OF_RANGE, "q"),
    "q is the text NaN": (swap('"0.02000000"', '"nan"'), Reason.BAD_NUMBER, "q"),
    "m is the text false": (swap('"m":true', '"m":"false"'), Reason.WRONG_TYPE, "m"),
    "m is 1": (swap('"m":true', '"m":1'), Reason.WRONG_TYPE, "m"),
    "M is null": (swap('"M":true', '"M":null'), Reason.WRONG_TYPE, "M"),
    "t is 1.9": (swap("3735683259", "1.9"), Reason.WRONG_TYPE, "t"),
    "t is 1.0": (swap("3735683259", "1.0"), Reason.WRONG_TYPE, "t"),
    "t is 1e3": (swap("3735683259", "1e3"), Reason.WRONG_TYPE, "t"),
    "t is text": (swap("3735683259", '"3735683259"'), Reason.WRONG_TYPE, "t"),
    "t is true": (swap("3735683259", "true"), Reason.WRONG_TYPE, "t"),
    "t is negative": (swap("3735683259", "-1"), Reason.OUT_OF_RANGE, "t"),
    "t is 2^63": (swap("3735683259", str(2**63)), Reason.OUT_OF_RANGE, "t"),
    "t is 2^64": (swap("3735683259", str(2**64)), Reason.OUT_OF_RANGE, "t"),
    "t has 5,000 digits": (swap("3735683259", "9" * 5000), Reason.OUT_OF_RANGE, "t"),
    "E in seconds": (swap("1723161255343", "1723161255"), Reason.WRONG_UNIT, "E"),
    "E in microseconds": (swap("1723161255343", "1723161255343000"), Reason.WRONG_UNIT, "E"),
    "E in nanoseconds": (swap("1723161255343", "1723161255343000000"), Reason.WRONG_UNIT, "E"),
    "T in seconds": (swap("1723161255342", "1723161255"), Reason.WRONG_UNIT, "T"),
    "T in microseconds": (swap("1723161255342", "1723161255342000"), Reason.WRONG_UNIT, "T"),
    "E is 0": (swap("1723161255343", "0"), Reason.OUT_OF_RANGE, "E"),
    "E is negative": (swap("1723161255343", "-1723161255343"), Reason.OUT_OF_RANGE, "E"),
    "E is before Binance": (swap("1723161255343", "1300000000000"), Reason.OUT_OF_RANGE, "E"),
    "E is two days ahead": (swap("1723161255343", str(NOW + 2 * 86_400_000)), Reason.OUT_OF_RANGE, "E"),
    "another event": (swap('"e":"trade"', '"e":"aggTrade"'), Reason.WRONG_EVENT, "e"),
    "another event, raw": (json.dumps({**DATA, "e": "aggTrade"}).encode(), Reason.WRONG_EVENT, "e"),
    "e is a number": (swap('"e":"trade"', '"e":1'), Reason.WRONG_TYPE, "e"),
    # not a trade
    "an array": (b"[" + FRAME + b"]", Reason.NOT_A_TRADE, None),
    "null": (b"null", Reason.NOT_A_TRADE, None),
    "text": (b'"trade"', Reason.NOT_A_TRADE, None),
    "a number": (b"17", Reason.NOT_A_TRADE, None),
    "a boolean": (b"true", Reason.NOT_A_TRADE, None),
    "an empty object": (b"{}", Reason.NOT_A_TRADE, None),
    "data is an array": (b'{"stream":"btcusdt@trade","data":[]}', Reason.NOT_A_TRADE, "data"),
    "no data": (b'{"stream":"btcusdt@trade"}', Reason.MISSING_FIELD, "data"),
    "stream is a number": (b'{"stream":1,"data":{}}', Reason.WRONG_TYPE, "stream"),
    "empty": (b"", Reason.NOT_JSON, None),
    "blank": (b"  ", Reason.NOT_JSON, None),
    "cut short": (FRAME[:-20], Reason.NOT_JSON, None),
    "cut by one byte": (FRAME[:-1], Reason.NOT_JSON, None),
    "trailing bytes": (FRAME + b"x", Reason.NOT_JSON, None),
    "trailing NUL": (FRAME + b"\0", Reason.NOT_JSON, None),
    "two frames in one": (FRAME + FRAME, Reason.NOT_JSON, None),
    "byte order mark": (b"\xef\xbb\xbf" + FRAME, Reason.NOT_JSON, None),
    "UTF-16": (FRAME.decode().encode("utf-16"), Reason.NOT_JSON, None),
    "numeric symbol": (swap('"BTCUSDT"', "17"), Reason.WRONG_TYPE, "s"),
    "lone surrogate as an escape": (swap("BTCUSDT", "\\ud800"), Reason.NOT_JSON, None),
    "lone surrogate as bytes": (swap("BTCUSDT", b"\xed\xa0\x80"), Reason.NOT_JSON, None),
    "lone surrogate in an extra field": (swap('"m":', '"x":"\\udc00","m":'), Reason.NOT_JSON, None),
    "invalid UTF-8": (swap("BTCUSDT", b"BTC\xff"), Reason.NOT_JSON, None),
    "invalid UTF-8 in an extra name": (swap('"m":', b'"\xff":1,"m":'), Reason.NOT_JSON, None),
    "overlong UTF-8": (swap("BTCUSDT", b"\xc0\x80"), Reason.NOT_JSON, None),
    "raw control character": (swap("BTCUSDT", b"BTC\x1b[31m"), Reason.NOT_JSON, None),
    "nested 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, Reason.NOT_JSON, None),
    "an extra field nested 100,000 deep": (
        swap('"m":', b'"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"m":'), Reason.NOT_JSON, None,
    ),
    "p twice": (swap('"p":', '"p":"1.0","p":'), Reason.DUPLICATE_FIELD, "p"),
    "p twice, once escaped": (swap('"p":', '"\\u0070":"1.0","p":'), Reason.DUPLICATE_FIELD, "p"),
    "p twice, equal": (swap('"p":', '"p":"61837.63000000","p":'), Reason.DUPLICATE_FIELD, "p"),
    "t twice": (swap('"t":', '"t":1,"t":'), Reason.DUPLICATE_FIELD, "t"),
    "an extra field twice": (swap('"m":', '"x":1,"x":2,"m":'), Reason.DUPLICATE_FIELD, "x"),
    "stream twice": (swap('{"stream":', '{"stream":"ethusdt@trade","stream":'), Reason.DUPLICATE_FIELD, "stream"),
    "data twice": (swap(',"data":', ',"data":{},"data":'), Reason.DUPLICATE_FIELD, "data"),
    "symbol of another stream": (swap("btcusdt@trade", "ethusdt@trade"), Reason.WRONG_STREAM, "s"),
    "symbol in lower case": (swap('"BTCUSDT"', '"btcUSDTx"'), Reason.WRONG_STREAM, "s"),
    "1 MB of text": (b"x" * 1_000_000, Reason.TOO_LARGE, None),
    "1 MB in a symbol": (swap("BTCUSDT", "B" * 1_000_000), Reason.TOO_LARGE, None),
    # hostile text in a symbol, on its own stream's name or not
    "ESC in a symbol": (swap('"BTCUSDT"', '"\\u001b[31mBTC"'), Reason.WRONG_STREAM, "s"),
    "empty symbol": (swap('"BTCUSDT"', '""'), Reason.WRONG_STREAM, "s"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_input_that_must_be_refused(name: str) -> None:
    frame, reason, field = REFUSED[name]
    result = decode(frame, NOW)
    assert isinstance(result, Rejection)
    assert (result.reason, result.field) == (reason, field)
    assert result.frame is frame
    assert result.received_time == NOW
    assert result.detail
    assert len(result.detail) < 300


TAKEN: dict[str, tuple[bytes, Trade]] = {
    "as recorded": (FRAME, TRADE),
    "raw stream": (json.dumps(DATA).encode(), TRADE),
    "order ids of before June 2024": (swap('"m":', '"b":1,"a":2,"m":'), TRADE),
    "an object as extra field": (swap('"m":', '"x":{"p":"9","y":[null]},"m":'), TRADE),
    "an extra field in the wrapper": (swap('{"stream"', '{"id":7,"stream"'), TRADE),
    "blanks": (b" " + FRAME.replace(b":", b" : ").replace(b",", b" ,\n") + b"\n", TRADE),
    "escaped names and text": (swap('"p"', '"\\u0070"').replace(b"BTCUSDT", b"\\u0042TCUSDT"), TRADE),
    "no decimals": (price('"61837"'), msgspec.structs.replace(TRADE, price=61837.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_input_that_must_be_taken(name: str) -> None:
    frame, trade = TAKEN[name]
    assert decode(frame, NOW) == examine(frame, NOW) == trade


@pytest.mark.parametrize("symbol", ["币安人生USDT", "1000SATSUSDT", "ÄUSDT"])
def test_non_ascii_symbols_are_taken(symbol: str) -> None:
    wrapped = {"stream": f"{symbol.lower()}@trade", "data": {**DATA, "s": symbol}}
    for frame in (json.dumps(wrapped).encode(), json.dumps(wrapped, ensure_ascii=False).encode()):
        result = decode(frame, NOW)
        assert isinstance(result, Trade)
        assert result.symbol == symbol


@pytest.mark.parametrize(
    ("frame", "control"),
    [
        (b'{"result":null,"id":1}', Control(ControlKind.ACK, 1)),
        (b'{"id":"a1","result":null}', Control(ControlKind.ACK, "a1")),
        (b'{"result":null,"id":null}', Control(ControlKind.ACK)),
        (b'{"result":["btcusdt@trade"],"id":3}', Control(ControlKind.LIST, 3, streams=("btcusdt@trade",))),
        (b'{"code":2,"msg":"Invalid request"}', Control(ControlKind.ERROR, None, 2, "Invalid request")),
        (b'{"error":{"code":-1121,"msg":"x"},"id":5}', Control(ControlKind.ERROR, 5, -1121, "x")),
        (b'{"code":2,"msg":"x","id":9}', Control(ControlKind.ERROR, 9, 2, "x")),
        (b'{"e":"serverShutdown","E":1723161255343}', Control(ControlKind.SHUTDOWN)),
        (
            b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1723161255343}}',
            Control(ControlKind.SHUTDOWN),
        ),
    ],
)
def test_control_messages_are_no_alarm(frame: bytes, control: Control) -> None:
    assert decode(frame, NOW) == control


@pytest.mark.parametrize(
    "frame",
    [
        b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT","b":[],"a":[]}}',
        b'{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}}',
        b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","s":"BTCUSDT"}}',
        b'{"stream":"!ticker@arr","data":[{"e":"24hrTicker"}]}',
        b'{"lastUpdateId":1,"bids":[],"asks":[]}',
        b'{"u":1,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}',
    ],
)
def test_streams_without_trades_are_ignored(frame: bytes) -> None:
    assert isinstance(decode(frame, NOW), Ignored)


def test_the_largest_frame_that_is_parsed() -> None:
    padded = FRAME + b" " * (MAX_FRAME - len(FRAME))
    assert decode(padded, NOW) == TRADE
    refused = decode(padded + b" ", NOW)
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("edge", [1_483_228_800_000, NOW + 86_400_000])
def test_the_edges_of_time_are_taken_and_one_beyond_is_not(edge: int) -> None:
    beyond = edge - 1 if edge < NOW else edge + 1
    assert isinstance(decode(swap("1723161255343", str(edge)), NOW), Trade)
    assert isinstance(decode(swap("1723161255343", str(beyond)), NOW), Rejection)


def test_a_refused_symbol_is_named_for_the_counters() -> None:
    result = decode(price('"NaN"'), NOW)
    assert isinstance(result, Rejection)
    assert result.symbol == "BTCUSDT"


def sound(result: Trade | Rejection | Control | Ignored) -> None:
    if isinstance(result, Trade):
        assert math.isfinite(result.price)
        assert math.isfinite(result.quantity)
        assert result.price >= 0
        assert result.quantity >= 0
        assert 0 <= result.trade_id < 2**63
        for name in ("event_time", "trade_time"):
            assert 1_483_228_800_000 <= getattr(result, name) <= NOW + 86_400_000
        assert type(result.market_maker) is type(result.ignore) is bool
        result.symbol.encode("utf-8")


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_crash(frame: bytes) -> None:
    sound(decode(frame, NOW))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(list(DATA.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([*DATA, "x", "stream"]), json_values, max_size=4),
    st.booleans(),
    st.sets(st.sampled_from(list(DATA)), max_size=1),
)
def test_changed_fields_are_a_trade_only_if_sound(changes: dict[str, Any], combined: bool, gone: set[str]) -> None:
    data = {key: value for key, value in {**DATA, **changes}.items() if key not in gone}
    frame = json.dumps({"stream": "btcusdt@trade", "data": data} if combined else data).encode("utf-8", "surrogatepass")
    result = decode(frame, NOW)
    sound(result)
    assert result == examine(frame, NOW)
    if gone - {"e"}:
        assert not isinstance(result, Trade)


@given(st.integers(0, len(FRAME) - 1), st.integers(0, 4), st.binary(max_size=4))
def test_mutations_of_a_real_frame(at: int, cut: int, put: bytes) -> None:
    frame = FRAME[:at] + put + FRAME[at + cut :]
    result = decode(frame, NOW)
    sound(result)
    assert result == examine(frame, NOW)
