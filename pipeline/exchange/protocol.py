"""Binance's WebSocket protocol without the socket: what a URL asks for, what a command answers. Pure, no clock.

Source: binance-spot-api-docs, web-socket-streams.md; the words of the errors are its table "Error Messages". Their
tails ("at line 1 column 28") are those of the Rust parser at Binance, of which only the form is imitated here.
"""

import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote

import msgspec

from pipeline.exchange.limits import STREAMS_A_CONNECTION

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_TEXT_ID = re.compile(r"[0-9A-Za-z]{1,36}")
_NO_ID = object()


class RefusedError(ValueError):
    """A URL that no WebSocket is opened for; the message goes into an HTTP 400 answer."""


class _CommandError(Exception):
    def __init__(self, code: int, words: str) -> None:
        self.code = code
        super().__init__(words)


class Session:
    """What one connection is subscribed to and in which form it gets its frames."""

    def __init__(self, streams: tuple[str, ...] = (), *, combined: bool = False, microseconds: bool = False) -> None:
        self.streams: dict[str, None] = dict.fromkeys(streams)
        """Used as an ordered set."""
        self.combined = combined
        self.microseconds = microseconds

    def answer(self, message: str | bytes) -> bytes:
        """Carry out a command and return the answer to send: a result or an error object, for any input at all."""
        request_id: object = _NO_ID
        try:
            command = _json(message)
            request_id = _request_id(command)
            result = self._carry_out(command, request_id)
        except _CommandError as error:
            refusal: dict[str, object] = {"code": error.code, "msg": str(error)}
            if request_id is not _NO_ID:
                refusal["id"] = request_id
            return msgspec.json.encode(refusal)
        return msgspec.json.encode({"result": result, "id": request_id})

    def _carry_out(self, command: Any, request_id: object) -> object:
        if not isinstance(command, dict):
            raise _CommandError(2, "Invalid request: invalid type, expected struct Request at line 1 column 0")
        if "method" not in command:
            raise _CommandError(2, "Invalid request: missing field `method` at line 1 column 0")
        method, params = command["method"], command.get("params", [])
        if method not in METHODS:
            expected = ", ".join(f"`{name}`" for name in METHODS)
            raise _CommandError(
                2, f"Invalid request: unknown variant `{_short(method)}`, expected one of {expected} at line 1 column 0"
            )
        if request_id is _NO_ID:
            raise _CommandError(2, "Invalid request: request ID must be an unsigned integer")
        if not isinstance(params, list):
            raise _CommandError(2, "Invalid request: invalid type, expected a sequence at line 1 column 0")
        if command.keys() - {"method", "params", "id"}:
            raise _CommandError(2, "Invalid request: too many parameters")
        match method:
            case "LIST_SUBSCRIPTIONS":
                return self._list(params)
            case "SET_PROPERTY" | "GET_PROPERTY":
                return self._property(params, change=method == "SET_PROPERTY")
        if not params or not all(isinstance(stream, str) for stream in params):
            raise _CommandError(2, "Invalid request: invalid type, expected a string at line 1 column 0")
        params = [_sendable(stream) for stream in params]
        if method == "SUBSCRIBE":
            # A stream nobody knows "succeeds" too, and stays silent for good.
            if len({*self.streams, *params}) > STREAMS_A_CONNECTION:
                raise _CommandError(2, f"Invalid request: more than {STREAMS_A_CONNECTION} streams")
            self.streams |= dict.fromkeys(params)
        else:
            for stream in params:
                self.streams.pop(stream, None)
        return None

    def _list(self, params: list[Any]) -> list[str]:
        if params:
            raise _CommandError(2, "Invalid request: too many parameters")
        return list(self.streams)

    def _property(self, params: list[Any], *, change: bool) -> bool | None:
        if not params or not isinstance(params[0], str):
            raise _CommandError(2, "Invalid request: property name must be a string")
        if len(params) > 1 + change:
            raise _CommandError(2, "Invalid request: too many parameters")
        if params[0] != "combined":
            raise _CommandError(0, "Unknown property")
        if not change:
            return self.combined
        if len(params) < 2 or not isinstance(params[1], bool):
            raise _CommandError(1, "Invalid value type: expected Boolean")
        self.combined = params[1]
        return None


def open_session(target: str) -> Session:
    """Return the session that a request target (path and query, percent-encoded) asks for.

    Raises:
        RefusedError: no such endpoint, a time unit that does not exist, too many streams.
    """
    path, _, query_text = target.partition("?")
    path = unquote(path).rstrip("/")
    query = dict(parse_qsl(query_text, keep_blank_values=True))
    # Upper and lower case are both documented.
    unit = query.get("timeUnit", "MILLISECOND")
    if unit.upper() not in ("MILLISECOND", "MICROSECOND"):
        raise RefusedError("Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    if path == "/stream":
        streams, combined = query.get("streams", ""), True
    elif path == "/ws" or path.startswith("/ws/"):
        streams, combined = path.removeprefix("/ws").removeprefix("/"), False
    else:
        raise RefusedError(f"there is no {_short(path)}; try /ws/<stream> or /stream?streams=<stream>/<stream>")
    names = tuple(name for name in streams.split("/") if name)
    if len(names) > STREAMS_A_CONNECTION:
        raise RefusedError(f"more than {STREAMS_A_CONNECTION} streams")
    return Session(names, combined=combined, microseconds=unit.upper() == "MICROSECOND")


def server_shutdown(time: int, *, combined: bool, microseconds: bool) -> bytes:
    """Return the event that announces a shutdown at ``time`` (ms) (web-socket-streams.md, "Server Shutdown")."""
    event = {"e": "serverShutdown", "E": time * 1000 if microseconds else time}
    return msgspec.json.encode({"stream": "!serverShutdown", "data": event} if combined else event)


def _request_id(command: object) -> object:
    """Return a valid request id (int64, alphanumeric text of at most 36, null), else ``_NO_ID``."""
    if not isinstance(command, dict) or "id" not in command:
        return _NO_ID
    value = command["id"]
    if value is None or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    return value if isinstance(value, str) and _TEXT_ID.fullmatch(value) else _NO_ID


def _json(message: str | bytes) -> Any:
    try:
        # Decoded here, because json.loads would take bytes for UTF-16 where they look like it.
        message = message if isinstance(message, str) else message.decode()
        return json.loads(message, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"at line {error.lineno} column {error.colno}"
        raise _CommandError(3, f"Invalid JSON: expected value {where}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, a bare NaN, 5,000 digits, nested too deeply
        raise _CommandError(3, "Invalid JSON: expected value at line 1 column 1") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _short(value: object) -> str:
    return _sendable(value if isinstance(value, str) else type(value).__name__)[:60]


def _sendable(text: str) -> str:
    """Replace lone surrogates: they can come out of JSON's escapes, and cannot be sent back."""
    return text.encode("utf-8", "replace").decode()
