"""What goes over the socket, one JSON object a line.

Down to the watcher: a ``Hello``, the events of the stack, an ``Answer`` to each order. Up to the instance: orders. Each
event travels with its class's name, so that every class of ``StackEvent`` is carried without being named here.
"""

from typing import Final, get_args

import msgspec

from pipeline.events import HistoryRead, Read, StackEvent

READ: Final = (*get_args(Read), HistoryRead)
"""What is read from Kafka and ClickHouse is not told: whoever watches reads it there himself."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first line to whoever comes. It holds no secret: those are in the watcher's own ``.env``."""

    version: str
    pid: int
    feed: str
    """``live``, ``simulated`` or ``replay of <file>``."""
    feed_setting: str
    """The setting behind it: ``live``, ``simulated`` or the recording's path."""
    known: tuple[str, ...]
    """Symbols in the order of their digits."""
    wanted: tuple[str, ...]
    """Symbols that are to be streamed."""
    addresses: dict[str, str]
    """Setting → address, of the servers of this run."""


class Answer(msgspec.Struct, frozen=True):
    """An order was carried out, or why not."""

    number: int
    error: str | None = None
    """Cleaned; None where all went well."""


class Order(msgspec.Struct, frozen=True, tag_field="order", kw_only=True, forbid_unknown_fields=True):
    """Base of what a watcher asks of the instance, which does it as if its own keyboard had asked."""

    number: int
    """Comes back in the ``Answer``."""


class Retry(Order, frozen=True, tag="retry"):
    """Try again what failed."""


class Restart(Order, frozen=True, tag="restart", kw_only=True):
    """Stop a service and start it again."""

    service: str


class StopService(Order, frozen=True, tag="stop_service", kw_only=True):
    """Stop a service until somebody starts it."""

    service: str


class StartService(Order, frozen=True, tag="start_service", kw_only=True):
    """Start a service that was stopped."""

    service: str


class SetSymbols(Order, frozen=True, tag="set_symbols", kw_only=True):
    """Stream exactly these symbols from now on."""

    symbols: tuple[str, ...]
    known: tuple[str, ...] = ()
    """All that have a digit, in order; without it those of before."""


class AskFrame(Order, frozen=True, tag="ask_frame", kw_only=True):
    """Have the producer tell a trade's raw frame."""

    symbol: str
    trade_id: int


AnyOrder = Retry | Restart | StopService | StartService | SetSymbols | AskFrame
Told = Hello | Answer | StackEvent


class _Line(msgspec.Struct):
    type: str
    event: msgspec.Raw


_CARRIED: Final[dict[str, type]] = {
    kind.__name__: kind for kind in (Hello, Answer, *get_args(StackEvent)) if kind not in READ
}
_decoders: dict[str, msgspec.json.Decoder[Told]] = {name: msgspec.json.Decoder(kind) for name, kind in _CARRIED.items()}
_encoder = msgspec.json.Encoder()
_lines = msgspec.json.Decoder(_Line)
_orders: msgspec.json.Decoder[AnyOrder] = msgspec.json.Decoder(AnyOrder)


def line_of(told: Told) -> bytes:
    """Return what is told as one line."""
    return _encoder.encode({"type": type(told).__name__, "event": told}) + b"\n"


def told_in(line: bytes) -> Told | None:
    """Return what a line tells, or None for an event that only the other side's version knows.

    Raises:
        msgspec.DecodeError: it is none of these lines.
    """
    outer = _lines.decode(line)
    decoder = _decoders.get(outer.type)
    return None if decoder is None else decoder.decode(outer.event)


def line_of_order(order: Order) -> bytes:
    """Return an order as one line."""
    return _encoder.encode(order) + b"\n"


def order_in(line: bytes) -> AnyOrder:
    """Return the order in a line.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _orders.decode(line)
