"""The sink's pure core: which rows are in hand, when they are due, which offsets may be committed once they are in.

No I/O and no clock: time comes as an argument (monotonic seconds).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Partition = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as Kafka handed it over: its place and its original bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A decoded record: its values in the order of the table's columns."""

    record: Record
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that cannot be stored, with the stage that found it and why."""

    record: Record
    stage: str
    error: Exception


class RefusedError(Exception):
    """ClickHouse refuses these rows as data: trying again would not help. Its cause has ClickHouse's words."""


@dataclass(slots=True)
class Batch:
    """What was read and is not committed yet."""

    limit: int
    """Records."""
    linger: float
    """Seconds after the first record until the batch is due."""
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Table → rows, in the order of their offsets within each partition."""
    bad: list[Bad] = field(default_factory=list)
    tombstones: int = 0
    _next: dict[Partition, int] = field(default_factory=dict)
    _count: int = 0
    _first: float | None = None

    def add(self, table: str, row: Row, now: float) -> None:
        """Take a row."""
        self.rows.setdefault(table, []).append(row)
        self._passed(row.record, now)

    def add_bad(self, bad: Bad, now: float) -> None:
        """Take a record that goes to the dead letters."""
        self.bad.append(bad)
        self._passed(bad.record, now)

    def add_tombstone(self, record: Record, now: float) -> None:
        """Pass over a record without a value."""
        self.tombstones += 1
        self._passed(record, now)

    def _passed(self, record: Record, now: float) -> None:
        self._count += 1
        self._first = now if self._first is None else self._first
        self._next[record.topic, record.partition] = record.offset + 1

    def __len__(self) -> int:
        return self._count

    def due(self, now: float) -> bool:
        """Tell whether it is to be written now: full, or old enough."""
        return self._count >= self.limit or (self._first is not None and now - self._first >= self.linger)

    def wait(self, now: float) -> float:
        """Return the seconds until it is due; ``linger`` while it is empty."""
        return self.linger if self._first is None else max(0.0, self._first + self.linger - now)

    def offsets(self) -> Mapping[Partition, int]:
        """Return what may be committed once every row and dead letter of the batch is acknowledged."""
        return dict(self._next)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget what came from these partitions: they belong to another consumer now, which reads it again."""
        gone = set(partitions)
        for table, rows in self.rows.items():
            self.rows[table] = [row for row in rows if (row.record.topic, row.record.partition) not in gone]
        self.bad = [bad for bad in self.bad if (bad.record.topic, bad.record.partition) not in gone]
        self._next = {place: offset for place, offset in self._next.items() if place not in gone}
        if not self._next:
            self._count, self._first = 0, None


def insert_all(rows: Sequence[Row], insert: Callable[[Sequence[Row]], None]) -> list[tuple[Row, RefusedError]]:
    """Insert the rows, halving what is refused until only the bad ones are left; return those, in order.

    ``insert`` raises ``RefusedError`` for rows that will never be taken; any other error passes through.
    """
    if not rows:
        return []
    try:
        insert(rows)
    except RefusedError as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        middle = len(rows) // 2
        return insert_all(rows[:middle], insert) + insert_all(rows[middle:], insert)
    return []
