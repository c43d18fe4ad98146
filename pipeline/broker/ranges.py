"""Reading ranges of offsets out of several partitions at once, within a time, a number and a size.

It knows the client library's consumer, which is assigned here and never subscribed, and nothing of pages.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place

from pipeline.broker.page import Record
from pipeline.broker.topics import words
from pipeline.model import Header

READ_BYTES = 16 * 1024 * 1024
"""Keys and values of all partitions together, about: of large records there are fewer."""
_POLL_S = 0.1
_STAMPS = {TIMESTAMP_CREATE_TIME: "create time", TIMESTAMP_LOG_APPEND_TIME: "log append time"}


class BrowseError(RuntimeError):
    """Nothing could be read; the message has the brokers' words, cleaned."""


class StoppedError(BrowseError):
    """A person does not want it any more."""


class Kept:
    """The oldest or the newest records of one partition's range, within a number and a size."""

    def __init__(self, limit: int, budget: int, *, newest: bool) -> None:
        self.records: deque[Record] = deque()
        self._limit, self._budget, self._newest = limit, budget, newest
        self._bytes = 0
        self.dropped = False
        """Whether older records of the range had to make room."""

    def take(self, record: Record) -> bool:
        """Take one; return False where no more are wanted."""
        self.records.append(record)
        self._bytes += record.size
        if not self._newest:
            return len(self.records) < self._limit and self._bytes < self._budget
        while len(self.records) > self._limit or (self._bytes > self._budget and len(self.records) > 1):
            self._bytes -= self.records.popleft().size
            self.dropped = True
        return True


@dataclass(slots=True)
class Read:
    """What was read of some ranges."""

    kept: dict[int, Kept]
    complete: set[int] = field(default_factory=set)
    """Partitions read to the end of their range."""
    silent: dict[int, str] = field(default_factory=dict)


def read_ranges(
    consumer: Consumer,
    topic: str,
    ranges: Mapping[int, tuple[int, int]],
    limit: int,
    *,
    newest: bool,
    seconds: float,
    stopping: threading.Event,
) -> Read:
    """Read the oldest or the newest ``limit`` records of each range (partition → first offset, offset after the last).

    The consumer reports the ends of partitions (``enable.partition.eof``).

    Raises:
        StoppedError: ``stopping`` was set.
    """
    budget = max(1, READ_BYTES // max(1, len(ranges)))
    read = Read({part: Kept(limit, budget, newest=newest) for part in ranges})
    waiting = {part for part, (begin, end) in ranges.items() if begin < end}
    read.complete |= set(ranges) - waiting
    trouble = dict.fromkeys(waiting, f"nothing came within {seconds:.0f} s")
    consumer.assign([Place(topic, part, ranges[part][0]) for part in waiting])
    deadline = time.monotonic() + seconds
    try:
        while waiting and time.monotonic() < deadline:
            if stopping.is_set():
                raise StoppedError
            message = consumer.poll(_POLL_S)
            if message is None or message.topic() != topic or message.partition() not in waiting:
                continue
            part, error, end = message.partition(), message.error(), ranges[message.partition()][1]
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                trouble[part] = words(KafkaException(error))
                continue
            if error is None and message.offset() < end and not read.kept[part].take(_record(message)):
                waiting.discard(part)  # enough
            elif error is not None or message.offset() >= end - 1:
                waiting.discard(part)
                read.complete.add(part)
            if part not in waiting:  # a pause would outlive the assignment
                consumer.incremental_unassign([Place(topic, part)])
    finally:
        consumer.unassign()
    for part in waiting:
        read.silent[part] = trouble[part]
        del read.kept[part]
    return read


def _record(message: Any) -> Record:
    kind, stamp = message.timestamp()
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp=stamp if kind in _STAMPS else None,
        timestamp_type=_STAMPS.get(kind, ""),
        key=message.key(),
        value=message.value(),
        headers=tuple(Header(key, value) for key, value in message.headers() or ()),
    )
