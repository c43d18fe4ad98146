"""What the servers have, as seen from outside: topics, consumer groups, subjects, tables, and the engines' tasks.

The nouns and the events that carry them; asking is for the rooms that know the servers (``broker/inventory.py``,
``schemas/inventory.py``, ``store/inventory.py``). What could not be found out is None, never 0: an event with an
``error`` says nothing of what was known before. Text in here is the servers' own and not cleaned, except errors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

INVENTORY = "inventory"
"""The process that looks at topics and consumer groups (``python -m pipeline.broker``)."""

# ---------------------------------------------------------------- Kafka


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One partition: who has it, and between which offsets its records lie."""

    id: int
    leader: int | None
    """None while it is offline."""
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    first: int | None = None
    """Offset of its first record; None where its leader did not answer."""
    end: int | None = None
    """Offset that the next record will get."""

    @property
    def messages(self) -> int | None:
        """Offsets between first and end: an upper bound where records were compacted away."""
        return None if self.first is None or self.end is None else self.end - self.first


@dataclass(frozen=True, slots=True)
class TopicView:
    """One topic."""

    name: str
    partitions: tuple[PartitionView, ...]
    rate: float | None = None
    """Records a second since the look before; None at the first one."""
    config: Mapping[str, str] | None = None
    """Settings that differ from the broker's defaults; None while they are unknown."""

    @property
    def messages(self) -> int | None:
        """Records in all partitions; None while one of them is unknown."""
        return total(partition.messages for partition in self.partitions)

    @property
    def end(self) -> int | None:
        """Sum of the end offsets: records ever written; None while one is unknown."""
        return total(partition.end for partition in self.partitions)

    @property
    def replicas(self) -> int:
        """Replicas of the partition that has the fewest."""
        return min((len(partition.replicas) for partition in self.partitions), default=0)

    @property
    def under_replicated(self) -> int:
        """Partitions with a replica that is not in sync."""
        return sum(len(partition.in_sync) < len(partition.replicas) for partition in self.partitions)

    @property
    def internal(self) -> bool:
        """Whether Kafka keeps it for itself."""
        return self.name.startswith("__")


@dataclass(frozen=True, slots=True)
class TopicsSeen:
    """All topics, or why they could not be listed. Sizes in bytes are not in it: the client has no describeLogDirs."""

    time: int
    topics: tuple[TopicView, ...] = ()
    error: str | None = None
    config_time: int | None = None
    """When the settings in ``topics`` were read: they are kept while the controller is away."""
    config_error: str | None = None
    offsets_error: str | None = None
    """Why offsets are missing in some partitions."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """One member of a consumer group."""

    id: str
    client_id: str
    host: str
    partitions: tuple[tuple[str, int], ...] = ()
    """(topic, partition) that it reads."""
    instance: str | None = None
    """``group.instance.id`` of a static member."""


@dataclass(frozen=True, slots=True)
class LagView:
    """How far a group is behind in one partition."""

    topic: str
    partition: int
    committed: int | None
    """None: nothing was committed yet, which is not 0."""
    end: int | None

    @property
    def lag(self) -> int | None:
        """Records between the commit and the end; None while either is unknown."""
        return None if self.committed is None or self.end is None else max(0, self.end - self.committed)


@dataclass(frozen=True, slots=True)
class GroupView:
    """One consumer group."""

    name: str
    state: str
    """Kafka's: ``STABLE``, ``EMPTY``, ``DEAD``, ``PREPARING_REBALANCING`` …; ``UNKNOWN`` where it did not say."""
    members: tuple[MemberView, ...] | None = ()
    """None while they are unknown."""
    lags: tuple[LagView, ...] | None = ()
    """None while the commits are unknown."""
    coordinator: int | None = None
    assignor: str = ""
    error: str | None = None
    """Why members or commits are missing, in the broker's words."""

    @property
    def lag(self) -> int | None:
        """Records behind in the partitions where that is known; None where it is in none."""
        known = [lag.lag for lag in self.lags or () if lag.lag is not None]
        return sum(known) if known else None

    @property
    def unknown(self) -> int:
        """Partitions whose lag is unknown."""
        return sum(lag.lag is None for lag in self.lags or ())


@dataclass(frozen=True, slots=True)
class GroupsSeen:
    """All consumer groups, or why they could not be listed."""

    time: int
    groups: tuple[GroupView, ...] = ()
    error: str | None = None
    """With groups beside it: why some may be missing (a broker that is away lists none)."""


# ---------------------------------------------------------------- registry, store


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of a subject."""

    version: int
    id: int
    """The schema's id, as it stands in front of each record."""
    text: str
    """The schema as registered."""
    kind: str = "AVRO"


@dataclass(frozen=True, slots=True)
class SubjectView:
    """One subject."""

    name: str
    versions: tuple[VersionView, ...] = ()
    """Oldest first."""
    compatibility: str | None = None
    """Its own level; None: the registry's global one holds."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RegistrySeen:
    """The schema registry, or why it could not be asked."""

    time: int
    url: str = ""
    compatibility: str | None = None
    """The global level; None where it could not be read."""
    subjects: tuple[SubjectView, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TableView:
    """One table of the store."""

    name: str
    engine: str
    rows: int | None = None
    """In active parts, so that a row that was inserted twice counts twice until parts merge."""
    bytes: int | None = None
    """On disk, compressed."""
    parts: int | None = None
    """Active ones."""
    modified: int | None = None
    """When a part was written last, by an insert or by a merge; None where it is empty."""
    newest: int | None = None
    """Largest ``received_time`` of a trade, or largest ``window_end``; None where it is empty or has neither."""
    received: bool = False
    """Whether ``newest`` is a ``received_time``: only then there is an insert lag."""

    def lag(self, now: int) -> int | None:
        """Return the insert lag at ``now`` in ms: the age of the trade received last; None while it is unknown."""
        return max(0, now - self.newest) if self.received and self.newest is not None else None


@dataclass(frozen=True, slots=True)
class StoreSeen:
    """ClickHouse's tables, or why they could not be listed."""

    time: int
    version: str = ""
    tables: tuple[TableView, ...] = ()
    error: str | None = None


# ---------------------------------------------------------------- engines


@dataclass(frozen=True, slots=True)
class TaskView:
    """One part of an engine's work: a query, a connector's task, a window size, a table that is filled."""

    name: str
    state: str
    detail: str = ""
    records: int | None = None
    """Windows emitted, rows written, records processed."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EngineSeen:
    """What makes the windows, or fills the store: the same shape whoever does it."""

    time: int
    name: str
    """``windows`` or ``sink``."""
    engine: str
    """``Quix Streams``, ``built-in``; ksqlDB or Kafka Connect in another installation."""
    state: str
    """``running``, ``waiting``, ``failed``, or the engine's own word."""
    tasks: tuple[TaskView, ...] = ()
    records: int | None = None
    """Records taken from Kafka and dealt with since the engine's start."""
    lag: int | None = None
    """Records it is behind."""
    error: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """What only this engine has to say, in words."""


def total(values: Iterable[int | None]) -> int | None:
    """Return the sum; None where one of them is unknown."""
    known = list(values)
    return None if any(value is None for value in known) else sum(value for value in known if value is not None)


InventoryEvent = TopicsSeen | GroupsSeen | RegistrySeen | StoreSeen | EngineSeen
