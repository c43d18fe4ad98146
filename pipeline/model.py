"""The nouns of the pipeline: what a trade, a refusal, a window and a dead letter are.

No I/O and no clock in here. Units, everywhere unless a field says otherwise: times are milliseconds since the Unix
epoch (UTC), prices are in the quote asset, quantities in the base asset.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

TRADE_TOPIC = "binance_trade"
WINDOW_TOPICS: dict[str, str] = {"1m": "binance_trade_agg_1m", "5m": "binance_trade_agg_5m"}
"""Window size → topic of its closed windows."""
WINDOW_MS: dict[str, int] = {"1m": 60_000, "5m": 300_000}
GRACE_MS = 10_000
"""A window closes when its partition's largest event time reaches its end plus this."""
PRODUCER_DLQ = "dlq-producer"
SINK_DLQ = "dlq-clickhouse"
DLQ_TOPICS = (PRODUCER_DLQ, SINK_DLQ)


class Source(StrEnum):
    """Where a trade came from: the WebSocket, or REST when a hole was filled."""

    WS = "ws"
    REST = "rest"


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One trade, in the order and with the names of the Avro record (``pipeline/schemas/binance_trade.avsc``).

    The first nine fields are Binance's ``e E s t p q T m M``; none of them is ever filled in for a frame that lacks it.
    """

    event_type: str
    event_time: int
    symbol: str
    trade_id: int
    price: float
    quantity: float
    trade_time: int
    market_maker: bool
    """True when the buyer was the maker: the trade was a sale into a resting buy order."""
    ignore: bool
    received_time: int
    """When the frame arrived here."""
    source: Source = Source.WS


class Window(msgspec.Struct, frozen=True, gc=False):
    """One closed tumbling window of one symbol; also the Avro record of both window topics."""

    symbol: str
    window_start: int
    window_end: int
    """Exclusive."""
    trade_count: int
    total_quantity: float
    avg_price: float
    """Plain mean of the prices (not weighted)."""
    min_price: float
    max_price: float
    open_price: float
    close_price: float
    vwap: float
    """Sum of price times quantity over the sum of quantity."""

    @property
    def size(self) -> str:
        """``"1m"`` or ``"5m"``."""
        return next(name for name, ms in WINDOW_MS.items() if ms == self.window_end - self.window_start)


class Reason(StrEnum):
    """Why a frame was refused: the fixed list that counters, logs and dead letters use."""

    NOT_JSON = "not_json"
    """Empty, cut short, trailing bytes, invalid UTF-8, a byte order mark, bare NaN, nested too deeply."""
    NOT_A_TRADE = "not_a_trade"
    """Valid JSON that is no object (array, null, string, number), or an object that is neither trade nor control."""
    TOO_LARGE = "too_large"
    WRONG_EVENT = "wrong_event"
    """Another event type on a trade stream (aggTrade)."""
    MISSING_FIELD = "missing_field"
    DUPLICATE_FIELD = "duplicate_field"
    WRONG_TYPE = "wrong_type"
    """``m: "false"``, ``t: 1.9``, a numeric symbol, ``true`` as a price."""
    BAD_NUMBER = "bad_number"
    """Not a plain decimal: ``NaN``, ``Infinity``, ``1e400``, ``1_000``, Arabic digits, too many digits."""
    OUT_OF_RANGE = "out_of_range"
    """Negative or zero where that cannot be, or beyond 64 bits."""
    WRONG_UNIT = "wrong_unit"
    """A time in seconds or microseconds instead of milliseconds."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """Not a symbol that was asked for."""
    WRONG_STREAM = "wrong_stream"
    """The payload's symbol is not that of the stream that carried it."""
    DUPLICATE = "duplicate"
    """This (symbol, trade_id) was accepted before."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A frame that was refused, whole, with the reason."""

    reason: Reason
    detail: str
    """What was found, in words, shortened; outside text in it is not cleaned yet (see ``pipeline.text``)."""
    frame: bytes
    """The frame exactly as received."""
    received_time: int
    field: str | None = None
    """Binance's name of the offending field (``p``, ``t`` …) where there is one."""
    symbol: str | None = None
    """The symbol, if it is one that was asked for; hostile text never becomes a Kafka key."""


class Header(msgspec.Struct, frozen=True):
    """One Kafka record header; names may repeat."""

    key: str
    value: bytes | None


class DeadLetter(msgspec.Struct, frozen=True):
    """One record of a dead letter topic, as read back from Kafka."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()

    def header(self, key: str) -> str | None:
        """Return the last value of a header as text (invalid UTF-8 escaped), or None where it is absent."""
        found = [h.value for h in self.headers if h.key == key and h.value is not None]
        return found[-1].decode("utf-8", "backslashreplace") if found else None

    @property
    def reason(self) -> str:
        """The producer's reason, or the exception class of Connect's headers; ``"unknown"`` where neither is there."""
        return self.header("error.reason") or self.header("__connect.errors.exception.class.name") or "unknown"


class ServiceState(StrEnum):
    """The states of a supervised process."""

    WAITING = "waiting"
    """For what it depends on."""
    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing off"
    FAILED = "failed"
    """The start limit was reached; only a person starts it again."""
    STOPPING = "stopping"
    STOPPED = "stopped"
