"""What rises: from a child process to the supervisor, and from the stack to whoever watches it.

Two families. ``ChildEvent``: one JSON object a line on a child's standard output (msgspec, tagged by ``"event"``);
the same classes encode in the child and decode in the supervisor, so neither side can drift. The other classes are
what ``Stack`` emits to the application, which adds service states, start-up steps and what was read from Kafka.
Commands are the only thing that goes down: one JSON object a line on standard input (``Command``).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from pipeline.inventory import GroupsSeen, InventoryEvent, TopicsSeen
from pipeline.model import DeadLetter, ServiceState, Trade, Window

# ---------------------------------------------------------------- from a child, one JSON object a line


class ChildEvent(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    """Base of what a child of ours writes to its standard output."""


class Ready(ChildEvent, frozen=True, tag="ready", kw_only=True):
    """The child does its work from now on."""

    detail: str = ""


class Failed(ChildEvent, frozen=True, tag="failed", kw_only=True):
    """The child cannot go on and will exit non-zero; the supervisor shows this as the reason."""

    reason: str


class LogLine(ChildEvent, frozen=True, tag="log", kw_only=True):
    """A warning or an error, as it also stands in ``logs/<service>.log``."""

    level: str
    """``WARNING``, ``ERROR`` or ``CRITICAL``."""
    time: int
    message: str
    """Already cleaned (``pipeline.text``)."""
    reason: str | None = None
    symbol: str | None = None


class Latency(msgspec.Struct, frozen=True):
    """Quantiles of a duration over the last report's interval, in milliseconds."""

    p50: float
    p99: float


class ClockOffset(msgspec.Struct, frozen=True):
    """The exchange's clock minus this machine's, as REST told it, in milliseconds."""

    ms: float
    uncertainty: float
    """Half the round trip: the truth lies within ``ms`` ± this."""
    measured_at: int


class ProducerStats(ChildEvent, frozen=True, tag="producer", kw_only=True):
    """The producer's report, once a second and once more, final, after the flush. Counters are since its start."""

    time: int
    frames: int
    """Frames received: accepted + refused + control + ignored."""
    accepted: int
    refused: dict[str, int]
    """Reason → count."""
    control: int
    """Acknowledgements of subscriptions, error objects, ``serverShutdown``."""
    ignored: int
    """Frames of streams that carry no trades (depth, book ticker)."""
    acknowledged: int
    """Trades for which the broker's acknowledgement came."""
    failed: int
    """Trades that Kafka gave up on; each one is logged. Not zero means a loss."""
    in_flight: int
    """Trades handed to the client library and not acknowledged yet."""
    queue: int
    """Messages in the client library's local queue."""
    blocked_ms: int
    """Time spent waiting because that queue was full (back-pressure)."""
    dead_letters: int
    """Refusals acknowledged by ``dlq-producer``."""
    reconnects: int
    connected: bool
    connected_since: int | None = None
    last_frame: int | None = None
    """When the last frame arrived; None before the first."""
    symbols: tuple[str, ...] = ()
    """Subscribed and acknowledged by the exchange."""
    streamed_since: dict[str, int] = msgspec.field(default_factory=dict)
    """Symbol → from when on it is streamed without a break, for those in ``symbols``."""
    pending: tuple[str, ...] = ()
    """Asked for, not acknowledged yet."""
    unlisted: tuple[str, ...] = ()
    """Asked for, and not streamed because the exchange does not list them."""
    latency: Latency | None = None
    """Frame received → broker's acknowledgement."""
    acknowledged_after: dict[int, int] = msgspec.field(default_factory=dict)
    """The same as a histogram (``pipeline.quantiles``) of the report's interval."""
    received_after: dict[int, int] = msgspec.field(default_factory=dict)
    """Event time → frame received, as a histogram; by the exchange's clock and ours, not corrected."""
    clock_offset: ClockOffset | None = None
    """None while it is unknown."""
    feed_error: str | None = None
    """Why the feed is not connected, in the exchange's or the system's own words; None while it is."""
    accepted_ids: dict[str, tuple[tuple[int, int], ...]] | None = None
    """Only in answer to ``report_ids``: symbol → inclusive ranges of the accepted trade ids."""


class LateWindow(msgspec.Struct, frozen=True, array_like=True):
    """A closed window that trades came too late for: it lacks them, and is to be corrected."""

    size: str
    symbol: str
    window_start: int
    trades: int
    """Late trades, each counted once by its id."""


class WindowsStats(ChildEvent, frozen=True, tag="windows", kw_only=True):
    """The windows process's report, once a second. Counters are since its start, but for ``late``."""

    time: int
    processed: int
    closed: dict[str, int]
    """Size → windows emitted."""
    late: dict[str, dict[str, int]]
    """Size → symbol → trades that came after their window had closed."""
    late_windows: tuple[LateWindow, ...] = ()
    """The same by window, for those that were hit last (``pipeline.windows.late.LATE_WINDOWS`` a partition)."""
    duplicates: int
    """Trades whose (symbol, trade_id) was in their window already."""
    poison: int
    """Records that could not be decoded, skipped and logged."""
    stream_time: dict[int, int] = msgspec.field(default_factory=dict)
    """Partition → largest event time seen."""
    lag: int | None = None
    """Records behind the end of the source topic; None where unknown."""


class SinkStats(ChildEvent, frozen=True, tag="sink", kw_only=True):
    """The sink's report, once a second. Counters are since its start."""

    time: int
    inserted: dict[str, int]
    """Table → rows ClickHouse took."""
    dead_letters: int
    waiting: str | None = None
    """Why it waits (ClickHouse's own words), None while it does not."""
    lag: int | None = None
    """Records behind the ends of its topics; None where unknown."""
    last_insert: int | None = None
    latency: Latency | None = None
    """Duration of an insert."""


class ExchangeStats(ChildEvent, frozen=True, tag="exchange", kw_only=True):
    """The simulated exchange's report, once a second and when a recording ends."""

    time: int
    clients: int
    frames_sent: int
    """Data frames (not answers to commands)."""
    faults: dict[str, int]
    """Fault → times made."""
    withheld: int = 0
    """Frames of a recording nobody was subscribed to."""
    total: int | None = None
    """Frames of the recording; None for the generator."""
    ended: bool = False
    """The recording has been sent to its end."""


class FrameFound(ChildEvent, frozen=True, tag="frame", kw_only=True):
    """The producer's answer to ``Command.frame``."""

    symbol: str
    trade_id: int
    frame: str | None
    """As it came over the WebSocket, not cleaned; None where the producer does not keep it (any more)."""


class Looked(ChildEvent, frozen=True, tag="looked", kw_only=True):
    """One look of the inventory at Kafka's topics, or at its consumer groups."""

    topics: TopicsSeen | None = None
    groups: GroupsSeen | None = None


AnyChildEvent = (
    Ready | Failed | LogLine | ProducerStats | WindowsStats | SinkStats | ExchangeStats | FrameFound | Looked
)


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is written to a child's standard input; each child heeds the fields that concern it."""

    symbols: tuple[str, ...] | None = None
    """Producer: stream exactly these from now on."""
    report_ids: bool = False
    """Producer: put ``accepted_ids`` into the next report, now."""
    fault: str | None = None
    """Exchange: make this fault (see ``pipeline.exchange.faults``)."""
    fault_args: dict[str, float] | None = None
    reconnect: bool = False
    """Producer: open a new connection now, without waiting for the backoff."""
    frame: tuple[str, int] | None = None
    """Producer: tell the raw frame of this (symbol, trade_id) in a ``FrameFound``."""


# ---------------------------------------------------------------- from the stack to the application


@dataclass(frozen=True, slots=True)
class ServiceChanged:
    """A supervised process changed its state, or a second has passed (memory, uptime)."""

    name: str
    state: ServiceState
    time: int
    since: int
    """When it entered this state."""
    pid: int | None = None
    restarts: int = 0
    last_error: str | None = None
    """Cleaned; stays after a restart, so that one can still read why."""
    log_path: str | None = None
    memory: int | None = None
    """Resident bytes; None while it does not run."""
    retry_at: int | None = None
    """While backing off: when it is started again."""
    address: str | None = None
    """host:port it serves, where it does."""


class StepState(StrEnum):
    """States of a start-up step."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    EXISTS = "exists"
    DIFFERENT = "different"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepChanged:
    """One line of the start-up checklist: a download, a topic, a schema, a DDL statement."""

    group: str
    """``downloads``, ``topics``, ``schemas``, ``clickhouse``."""
    name: str
    state: StepState
    detail: str = ""
    """The server's own words, progress, or what differs; cleaned."""
    time: int = 0


@dataclass(frozen=True, slots=True)
class ChildReport:
    """A child's statistics, log line or other event, with the name of the service it came from."""

    service: str
    event: AnyChildEvent


class ReadTrade(msgspec.Struct, frozen=True, gc=False):
    """A trade as read back from Kafka, with its place. One is made of every trade: a frozen dataclass costs 15 times
    as much.
    """

    trade: Trade
    partition: int
    offset: int
    timestamp: int
    """The record's own: the producer gives it the trade's event time."""
    schema_id: int | None = None
    """Under which the registry has the schema it was written with."""


@dataclass(frozen=True, slots=True)
class TradesRead:
    """A batch from the trade topic, oldest first."""

    trades: tuple[ReadTrade, ...]
    time: int


@dataclass(frozen=True, slots=True)
class WindowsRead:
    """Closed windows from the window topics, oldest first; a window may come again, identical."""

    windows: tuple[Window, ...]
    time: int


class MinuteIds(NamedTuple):
    """The lowest and the highest trade id that is stored of a symbol's minute (by event time)."""

    symbol: str
    minute: int
    """Its start."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """The windows that ClickHouse held when the screen began, oldest first, and the ids of the trades in them."""

    windows: tuple[Window, ...]
    ids: tuple[MinuteIds, ...]
    time: int


@dataclass(frozen=True, slots=True)
class DeadLettersRead:
    """Dead letters from both topics, oldest first."""

    letters: tuple[DeadLetter, ...]
    time: int


@dataclass(frozen=True, slots=True)
class ReaderTrouble:
    """The application's own reading from Kafka met an error (or came over it: ``message`` None)."""

    time: int
    message: str | None


@dataclass(frozen=True, slots=True)
class BrokerView:
    """One broker as the cluster's metadata and a TCP probe see it."""

    id: int
    host: str
    port: int
    reachable: bool
    leaders: int
    """Partitions it leads."""
    is_controller: bool
    replicas: int | None = None
    """Replicas placed on it, its own leaders among them."""
    in_sync: int | None = None
    """Those of them that are in sync."""
    leader_skew: float | None = None
    """Percent of leaders above the brokers' mean (negative: below it)."""
    replica_skew: float | None = None
    """The same for replicas."""

    @property
    def out_of_sync(self) -> int | None:
        """Replicas on it that are not in sync; None while unknown."""
        return None if self.replicas is None or self.in_sync is None else self.replicas - self.in_sync


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    """The cluster as ``list_topics()`` tells it, every two seconds; ``error`` where nothing answered."""

    time: int
    brokers: tuple[BrokerView, ...] = ()
    expected_brokers: int = 0
    partitions: int = 0
    replicas: int = 0
    in_sync: int = 0
    under_replicated: int = 0
    offline: int = 0
    error: str | None = None
    topics: dict[str, int] = field(default_factory=dict)
    """Topic → partitions."""
    controller: int | None = None
    """Id of the broker that is the controller; None while there is none."""

    @property
    def online(self) -> int:
        """Partitions that have a leader."""
        return self.partitions - self.offline

    @property
    def out_of_sync(self) -> int:
        """Replicas that are behind, or whose broker is away."""
        return self.replicas - self.in_sync


@dataclass(frozen=True, slots=True)
class SymbolsWanted:
    """From now on exactly these symbols are to be streamed, whoever asked for it."""

    symbols: tuple[str, ...]
    time: int
    known: tuple[str, ...] = ()
    """All that have a digit, in order, where that was chosen too."""


@dataclass(frozen=True, slots=True)
class DayTicker:
    """A symbol's prices over the last 24 hours, as the exchange tells them."""

    open: float
    """At ``opened``, or the first after it."""
    last: float
    opened: int
    closed: int

    @property
    def whole(self) -> bool:
        """Whether it reaches back for 24 hours, but for a minute."""
        return self.closed - self.opened >= 86_340_000


@dataclass(frozen=True, slots=True)
class DaySeen:
    """The exchange's 24-hour tickers of the known symbols, about once a minute; ``error`` where it told none."""

    time: int
    tickers: dict[str, DayTicker] = field(default_factory=dict)
    """Symbols that the exchange does not know are left out."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StackPhase:
    """Where the stack as a whole stands: ``starting``, ``running``, ``stopping``, ``stopped`` or ``failed``."""

    phase: str
    time: int
    detail: str = ""


Read = TradesRead | WindowsRead | DeadLettersRead | ReaderTrouble
"""What the application's own reading from Kafka brings."""

StackEvent = (
    ServiceChanged
    | StepChanged
    | ChildReport
    | TradesRead
    | WindowsRead
    | HistoryRead
    | DeadLettersRead
    | ReaderTrouble
    | ClusterSeen
    | DaySeen
    | InventoryEvent
    | StackPhase
    | SymbolsWanted
)
