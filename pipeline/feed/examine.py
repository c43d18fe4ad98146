"""What a frame is, found slowly and strictly: a trade, a refusal with its reason, a control message, or not ours.

Pure, and the only judge of what is refused; ``pipeline.feed.wire`` takes the fast way for plain trades. It does not
know which symbols were asked for, nor what came before (``pipeline.feed.quality`` does), and it never guesses: nothing
missing is filled in, nothing odd is repaired.

Payloads: github.com/binance/binance-spot-api-docs, web-socket-streams.md.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from pipeline.model import Reason, Rejection, Trade

MAX_FRAME = 256 * 1024
"""Bytes of the largest frame that is parsed; the largest real one seen (a depth snapshot) has 64 KB."""
EARLIEST = 1_483_228_800_000
"""2017-01-01: Binance has no trades before it."""
AHEAD = 86_400_000
"""How far ahead of our clock the exchange's may be, in ms."""

TRADE = "trade"
SUFFIX = "@trade"
"""What the name of a trade stream ends with, after the symbol in lower case."""
MAX_INT64 = 2**63 - 1
_SHUTDOWN = "serverShutdown"
_FIELDS = ("e", "E", "s", "t", "p", "q", "T", "m", "M")
is_decimal = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII).fullmatch
"""Prices and quantities: ASCII digits with one point at most; no sign, exponent, underscore or blank."""
_negative = re.compile(r"-[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII).fullmatch
_surrogate = re.compile(rb"\\u[dD][89a-fA-F]").search


class ControlKind(StrEnum):
    """What a control message says."""

    ACK = "ack"
    """A request was taken."""
    LIST = "list"
    """The answer to LIST_SUBSCRIPTIONS."""
    ERROR = "error"
    SHUTDOWN = "serverShutdown"
    """The server will close this connection soon; a new one is to be opened at once."""


@dataclass(frozen=True, slots=True)
class Control:
    """A message about the connection; never an alarm by itself. Text in it is as received, not cleaned."""

    kind: ControlKind
    request: int | str | None = None
    """The id of the request it answers, where it answers one."""
    code: int | None = None
    message: str = ""
    streams: tuple[str, ...] = ()
    """Of a LIST: the streams subscribed to."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame of a stream that carries no trades (depth, book ticker …)."""

    stream: str


class _RefusedError(Exception):
    """Why a frame is refused, on its way to ``examine``."""

    def __init__(self, reason: Reason, detail: str, field: str | None = None, symbol: str | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.field, self.symbol = reason, detail, field, symbol


def examine(frame: bytes, received_time: int) -> Trade | Rejection | Control | Ignored:
    """Tell what a frame is. ``received_time`` is ms since the epoch; never raises, whatever the bytes."""
    try:
        return _examine(frame, received_time)
    except _RefusedError as refused:
        return Rejection(refused.reason, refused.detail, frame, received_time, refused.field, refused.symbol)


def _examine(frame: bytes, received_time: int) -> Trade | Control | Ignored:
    if len(frame) > MAX_FRAME:
        raise _RefusedError(Reason.TOO_LARGE, f"{len(frame)} bytes, at most {MAX_FRAME} are parsed")
    root = _parse(frame)
    if not isinstance(root, _Object):
        raise _RefusedError(Reason.NOT_A_TRADE, f"{_kind(root)} at the root")
    if "stream" in root:
        return _combined(root, received_time)
    event = root.get("e")
    if event == _SHUTDOWN:
        return Control(ControlKind.SHUTDOWN)
    if event is None:
        control = _control(root)
        if control is not None:
            return control
        if root.keys() >= {"lastUpdateId", "bids", "asks"} or root.keys() >= {"u", "s", "b", "B", "a", "A"}:
            return Ignored("")  # partial depth and book ticker name no event
        if "e" not in root and not root.keys() & {"E", "s", "t", "p", "q", "T"}:
            raise _RefusedError(Reason.NOT_A_TRADE, f"an object that is neither trade nor control: {_names(root)}")
    return _trade(root, None, received_time)


def _combined(root: "_Object", received_time: int) -> Trade | Control | Ignored:
    _no_duplicates(root)
    stream = root["stream"]
    if not isinstance(stream, str):
        raise _RefusedError(Reason.WRONG_TYPE, f"stream is {_kind(stream)}, not text", "stream")
    if "data" not in root:
        raise _RefusedError(Reason.MISSING_FIELD, "data is missing", "data")
    data = root["data"]
    if isinstance(data, _Object) and data.get("e") == _SHUTDOWN:
        return Control(ControlKind.SHUTDOWN)
    if not stream.endswith(SUFFIX):
        return Ignored(stream)
    if not isinstance(data, _Object):
        raise _RefusedError(Reason.NOT_A_TRADE, f"data is {_kind(data)}", "data")
    return _trade(data, stream, received_time)


def _control(root: "_Object") -> Control | None:
    request = root.get("id")
    if isinstance(request, bool) or not isinstance(request, int | str):
        request = None
    error = root.get("error", root)
    if isinstance(error, dict) and "code" in error and "msg" in error:
        code = error["code"]
        return Control(ControlKind.ERROR, request, code if isinstance(code, int) else None, str(error["msg"]))
    if "result" in root:
        result = root["result"]
        if isinstance(result, list):
            return Control(ControlKind.LIST, request, streams=tuple(s for s in result if isinstance(s, str)))
        return Control(ControlKind.ACK, request)
    return None


def _trade(data: "_Object", stream: str | None, received_time: int) -> Trade:
    try:
        return _checked_trade(data, stream, received_time)
    except _RefusedError as refused:
        symbol = data.get("s")
        refused.symbol = symbol if isinstance(symbol, str) else None
        raise


def _checked_trade(data: "_Object", stream: str | None, received_time: int) -> Trade:
    _no_duplicates(data)
    if "e" in data:
        event = _text(data, "e")
        if event != TRADE:
            raise _RefusedError(Reason.WRONG_EVENT, f"event {_shown(event)} on a trade stream", "e")
    for name in _FIELDS:
        if name not in data:
            raise _RefusedError(Reason.MISSING_FIELD, f"{name} is missing", name)
    symbol = _text(data, "s")
    trade = Trade(
        event_type=TRADE,
        event_time=_time(data, "E", received_time),
        symbol=symbol,
        trade_id=_integer(data, "t"),
        price=_number(data, "p"),
        quantity=_number(data, "q"),
        trade_time=_time(data, "T", received_time),
        market_maker=_boolean(data, "m"),
        ignore=_boolean(data, "M"),
        received_time=received_time,
    )
    if stream is not None and stream != symbol.lower() + SUFFIX:
        raise _RefusedError(Reason.WRONG_STREAM, f"symbol {_shown(symbol)} on stream {_shown(stream)}", "s")
    return trade


def _no_duplicates(fields: "_Object") -> None:
    if fields.repeated is not None:
        raise _RefusedError(Reason.DUPLICATE_FIELD, f"{_shown(fields.repeated)} is there twice", fields.repeated[:40])


def _text(data: "_Object", name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise _RefusedError(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, not text", name)
    return value


def _boolean(data: "_Object", name: str) -> bool:
    value = data[name]
    if not isinstance(value, bool):
        raise _RefusedError(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, not true or false", name)
    return value


def _integer(data: "_Object", name: str) -> int:
    value = data[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise _RefusedError(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, not an integer", name)
    if not 0 <= value <= MAX_INT64:
        raise _RefusedError(Reason.OUT_OF_RANGE, f"{name} is negative or beyond 64 bits", name)
    return value


def _time(data: "_Object", name: str, received_time: int) -> int:
    value = _integer(data, name)
    latest = received_time + AHEAD
    if EARLIEST <= value <= latest:
        return value
    for unit, in_ms in (("seconds", value * 1000), ("microseconds", value // 1000), ("ns", value // 1_000_000)):
        if EARLIEST <= in_ms <= latest:
            raise _RefusedError(Reason.WRONG_UNIT, f"{name} = {value} looks like {unit}, not milliseconds", name)
    raise _RefusedError(Reason.OUT_OF_RANGE, f"{name} = {value} is before 2017 or a day ahead of our clock", name)


def _number(data: "_Object", name: str) -> float:
    value = _text(data, name)
    if is_decimal(value):
        return float(value)
    if _negative(value):
        raise _RefusedError(Reason.OUT_OF_RANGE, f"{name} = {_shown(value)} is negative", name)
    raise _RefusedError(Reason.BAD_NUMBER, f"{name} = {_shown(value)} is no plain decimal", name)


class _Object(dict[str, Any]):
    """A JSON object that remembers a name that came twice."""

    repeated: str | None = None

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        if len(self) != len(pairs):
            seen: set[str] = set()
            self.repeated = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _bare_constant(name: str) -> NoReturn:
    raise _RefusedError(Reason.NOT_JSON, f"bare {name}")


def _bounded_int(digits: str) -> int:
    # Python refuses to parse thousands of digits; whatever has more than 20 is beyond 64 bits anyway.
    return int(digits) if len(digits) <= 20 else 2**64


_parse_strictly = json.JSONDecoder(
    object_pairs_hook=_Object, parse_constant=_bare_constant, parse_int=_bounded_int
).decode


def _parse(frame: bytes) -> Any:
    try:
        root = _parse_strictly(frame.decode("utf-8"))
        if _surrogate(frame):
            # JSON's escapes can spell half a surrogate pair, which is no Unicode text.
            json.dumps(root, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise _RefusedError(Reason.NOT_JSON, f"invalid UTF-8: {error.reason} at byte {error.start}") from error
    except UnicodeEncodeError as error:
        raise _RefusedError(Reason.NOT_JSON, "a lone surrogate") from error
    except RecursionError as error:
        raise _RefusedError(Reason.NOT_JSON, "nested too deeply") from error
    except json.JSONDecodeError as error:
        raise _RefusedError(Reason.NOT_JSON, str(error) if frame else "empty") from error
    return root


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "an array" if isinstance(value, list) else "an object"


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}… ({len(text)} characters)"


def _names(root: "_Object") -> str:
    return ", ".join(_shown(name) for name in list(root)[:5]) or "empty"
