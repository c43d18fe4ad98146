"""A page of a topic's records: a range of offsets in each partition, merged by time. Pure.

The next page in either direction follows from the page alone, whatever lies between the offsets: compaction and
transactions leave holes.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from pipeline.model import Header


class Record(msgspec.Struct, frozen=True):
    """One record as it stands in a topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    """ms since the epoch; None where it has none."""
    timestamp_type: str
    """``create time``, ``log append time``, or empty."""
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()

    @property
    def place(self) -> str:
        """``topic/partition@offset``."""
        return f"{self.topic}/{self.partition}@{self.offset}"

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        return len(self.key or b"") + len(self.value or b"") + sum(len(h.value or b"") for h in self.headers)


class TopicView(msgspec.Struct, frozen=True):
    """One topic of the list."""

    name: str
    watermarks: dict[int, tuple[int, int] | None]
    """Partition → offsets of its first record and of the one that comes next; None where no leader tells them."""
    replicas: int
    internal: bool

    @property
    def records(self) -> int | None:
        """Records at most (a compacted topic has fewer); None where a partition is unknown."""
        known = [marks[1] - marks[0] for marks in self.watermarks.values() if marks is not None]
        return sum(known) if len(known) == len(self.watermarks) else None


@dataclass(frozen=True, slots=True)
class Page:
    """A range of each partition and the records in it, oldest first."""

    topic: str
    records: tuple[Record, ...]
    begins: Mapping[int, int]
    """Partition → offset at which the page begins there."""
    ends: Mapping[int, int]
    """Partition → offset at which the next page begins there."""
    low: Mapping[int, int]
    high: Mapping[int, int]
    silent: Mapping[int, str] = field(default_factory=dict)
    """Partitions that did not answer, and why: the page has nothing of them."""

    @property
    def is_first(self) -> bool:
        """Whether nothing older is there."""
        return all(begin <= self.low.get(partition, begin) for partition, begin in self.begins.items())

    @property
    def is_last(self) -> bool:
        """Whether nothing newer was there when it was read."""
        return all(end >= self.high.get(partition, end) for partition, end in self.ends.items())


def merged(queues: Iterable[deque[Record]], limit: int, *, newest: bool) -> tuple[Record, ...]:
    """Take up to ``limit`` records out of the partitions' queues, by timestamp, and return them oldest first.

    Each queue holds its partition's records in their order, which stays, whatever their timestamps. ``newest`` takes
    them from the end.
    """
    taken: list[Record] = []
    choose: Callable[..., Record] = max if newest else min
    while len(taken) < limit and (ends := [(queue[-1 if newest else 0], queue) for queue in queues if queue]):
        record = choose((record for record, _ in ends), key=_age)
        queue = next(queue for head, queue in ends if head is record)
        taken.append(queue.pop() if newest else queue.popleft())
    return tuple(taken[::-1] if newest else taken)


def _age(record: Record) -> tuple[int, int]:
    return (record.timestamp or 0, record.partition)
