"""Looking into any topic: a page of records from anywhere, onwards and backwards. It leaves no trace.

Partitions are assigned, never subscribed to; nothing is committed; no topic comes into being by being asked for. Calls
block; every one ends within ``TIMEOUT_S`` and the time-outs of a few questions.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, OffsetSpec

from pipeline.broker.page import Page, TopicView, merged
from pipeline.broker.ranges import BrowseError, Kept, Read, read_ranges
from pipeline.broker.start import Beginning, End, Offset, Start, Time
from pipeline.broker.topics import words
from pipeline.settings import Settings
from pipeline.text import clean

TIMEOUT_S = 8.0
"""For reading one page."""
REQUEST_S = 3.0
"""For one question to the brokers."""
PAGE_RECORDS = 100

_log = logging.getLogger(__name__)


class Browser:
    """One person's look at the topics. Use it as a context; it belongs to one thread at a time."""

    def __init__(
        self, settings: Settings, *, timeout: float = TIMEOUT_S, stopping: threading.Event | None = None
    ) -> None:
        """``timeout`` in seconds, for a page; ``stopping`` ends a reading at once, with ``StoppedError``."""
        self._config = settings.kafka_config() | {"reconnect.backoff.max.ms": 1_000, "log_level": 3}
        self._timeout = timeout
        self._stopping = stopping or threading.Event()
        self._trouble: str | None = None

    def __enter__(self) -> Self:
        """Connect."""
        own = {
            "group.id": "cryptostreamx-screen",  # asked for by the library; the group is never joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "allow.auto.create.topics": False,
            "auto.offset.reset": "earliest",  # where the beginning of a range was deleted meanwhile
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": 16_384,
            "error_cb": self._on_error,
        }
        self._consumer = Consumer(self._config | own, logger=_log)
        self._admin = AdminClient(self._config | {"error_cb": self._on_error}, logger=_log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self._consumer.close()

    # ---------------------------------------------------------------- what can be asked

    def topics(self) -> tuple[TopicView, ...]:
        """Return all topics by name, the cluster's own last.

        Raises:
            BrowseError: no broker answers.
        """
        listed = self._listed()
        marks = self._watermarks(
            [Place(name, part.id) for name, topic in listed.items() for part in topic.partitions.values() if _led(part)]
        )
        views = [
            TopicView(
                name,
                {part: marks.get((name, part)) for part in sorted(topic.partitions)},
                min((len(part.replicas) for part in topic.partitions.values()), default=0),
                name.startswith("__"),
            )
            for name, topic in listed.items()
        ]
        return tuple(sorted(views, key=lambda view: (view.internal, view.name)))

    def open(self, topic: str, partition: int | None, start: Start, limit: int = PAGE_RECORDS) -> Page:
        """Return the first page: at the end the newest records, else the first ones from ``start`` on.

        Raises:
            BrowseError: no such topic or partition, or no answer.
        """
        marks = self._marks(topic, None if partition is None else {partition})
        low, high = marks.low, marks.high
        match start:
            case End():
                return self._backward(topic, high, marks, limit)
            case Beginning():
                begins = low
            case Offset(offset):
                begins = {part: max(low[part], min(offset, high[part])) for part in low}
            case Time(ms):
                begins = self._at(topic, ms, high)
        return self._forward(topic, begins, marks, limit)

    def after(self, page: Page, limit: int = PAGE_RECORDS) -> Page:
        """Return the page that follows.

        Raises:
            BrowseError: no answer.
        """
        marks = self._marks(page.topic, set(page.ends))
        return _staying(self._forward(page.topic, marks.within(page.ends), marks, limit), page.ends, marks.silent)

    def before(self, page: Page, limit: int = PAGE_RECORDS) -> Page:
        """Return the page that comes before.

        Raises:
            BrowseError: no answer.
        """
        marks = self._marks(page.topic, set(page.begins))
        return _staying(self._backward(page.topic, marks.within(page.begins), marks, limit), page.begins, marks.silent)

    # ---------------------------------------------------------------- what the brokers are asked

    def _listed(self) -> Any:
        try:
            return self._consumer.list_topics(timeout=REQUEST_S).topics  # all: asking for one may create it
        except KafkaException as error:
            raise BrowseError(words(error)) from error

    def _marks(self, topic: str, wanted: set[int] | None) -> "_Marks":
        """Return the watermarks of a topic's partitions (None: of all)."""
        listed = self._listed()
        if topic not in listed:
            raise BrowseError(f"there is no topic {clean(topic, 100)}")
        partitions = listed[topic].partitions
        if missing := (wanted or set()) - set(partitions):
            raise BrowseError(f"{topic} has no partition {min(missing)}; it has {len(partitions)}, from 0 on")
        parts = [part for number, part in partitions.items() if wanted is None or number in wanted]
        found = self._watermarks([Place(topic, part.id) for part in parts if _led(part)])
        why = self._trouble or "it does not tell its offsets"
        silent = {part.id: why if _led(part) else "it has no leader" for part in parts if (topic, part.id) not in found}
        if silent and not found:
            raise BrowseError("; ".join(f"{topic}/{number}: {why}" for number, why in silent.items()))
        low = {part: marks[0] for (_, part), marks in found.items()}
        high = {part: marks[1] for (_, part), marks in found.items()}
        return _Marks(low, high, silent)

    def _watermarks(self, places: list[Place]) -> dict[tuple[str, int], tuple[int, int]]:
        """Return the offsets of each place's first and next record; a place that does not answer is left out."""
        if not places:
            return {}
        asked = [
            self._admin.list_offsets(dict.fromkeys(places, spec), request_timeout=REQUEST_S)
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
        ]
        found: dict[tuple[str, int], list[int]] = {}
        for futures in asked:
            for place, future in futures.items():
                try:
                    offset = int(future.result(2 * REQUEST_S).offset)
                except (KafkaException, TimeoutError) as error:
                    self._trouble = words(error)
                else:
                    found.setdefault((place.topic, place.partition), []).append(offset)
        return {place: (marks[0], marks[1]) for place, marks in found.items() if len(marks) == 2}

    def _at(self, topic: str, ms: int, high: Mapping[int, int]) -> dict[int, int]:
        try:
            found = self._consumer.offsets_for_times([Place(topic, part, ms) for part in high], timeout=REQUEST_S)
        except KafkaException as error:
            raise BrowseError(words(error)) from error
        # Where nothing is as late, the answer is -1: the end.
        return {place.partition: place.offset if place.offset >= 0 else high[place.partition] for place in found}

    # ---------------------------------------------------------------- reading

    def _forward(self, topic: str, begins: Mapping[int, int], marks: "_Marks", limit: int) -> Page:
        read = self._read(topic, {part: (begin, marks.high[part]) for part, begin in begins.items()}, limit)
        queues = {part: kept.records for part, kept in read.kept.items()}
        taken = merged(queues.values(), limit, newest=False)
        ends = dict(begins) | {record.partition: record.offset + 1 for record in taken}
        # What lies behind the last record of a partition are offsets without records: the page covers them.
        ends |= {part: marks.high[part] for part, queue in queues.items() if not queue and part in read.complete}
        return Page(topic, taken, dict(begins), ends, marks.low, marks.high, _silent(topic, marks, read.silent))

    def _backward(self, topic: str, ends: Mapping[int, int], marks: "_Marks", limit: int) -> Page:
        low = marks.low
        found: dict[int, Kept] = {}
        silent: dict[int, str] = {}
        exhausted: set[int] = set()
        span, missing = limit, set(ends)
        while missing:
            # Compaction and transactions leave holes: where a span holds too few records, a longer one is read.
            ranges = {part: (max(low[part], ends[part] - span), ends[part]) for part in missing}
            read = self._read(topic, ranges, limit, newest=True)
            silent |= read.silent
            found |= read.kept
            whole = {part for part, kept in read.kept.items() if not kept.dropped}
            exhausted |= {part for part in whole if ranges[part][0] <= low[part]}
            missing = {part for part in whole - exhausted if len(read.kept[part].records) < limit}
            span *= 8
        queues = {part: kept.records for part, kept in found.items()}
        taken = merged(queues.values(), limit, newest=True)
        begins = dict(ends) | {record.partition: record.offset for record in reversed(taken)}
        begins |= {part: low[part] for part in exhausted if not queues[part]}
        return Page(topic, taken, begins, dict(ends), low, marks.high, _silent(topic, marks, silent))

    def _read(self, topic: str, ranges: Mapping[int, tuple[int, int]], limit: int, *, newest: bool = False) -> Read:
        return read_ranges(
            self._consumer, topic, ranges, limit, newest=newest, seconds=self._timeout, stopping=self._stopping
        )

    def _on_error(self, error: KafkaError) -> None:
        self._trouble = words(KafkaException(error))
        _log.info("Kafka: %s", self._trouble)


@dataclass(frozen=True, slots=True)
class _Marks:
    """A topic's watermarks, and why some partitions do not tell theirs."""

    low: dict[int, int]
    high: dict[int, int]
    silent: dict[int, str]

    def within(self, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return the offsets of those partitions that answer, moved to where records are."""
        return {part: max(self.low[part], min(offsets[part], self.high[part])) for part in self.low}


def _silent(topic: str, marks: _Marks, while_reading: Mapping[int, str]) -> dict[int, str]:
    """Return why partitions are not in a page.

    Raises:
        BrowseError: none is.
    """
    silent = marks.silent | dict(while_reading)
    if silent and silent.keys() >= marks.low.keys():
        raise BrowseError("; ".join(f"{topic}/{part}: {why}" for part, why in silent.items()))
    return silent


def _staying(page: Page, offsets: Mapping[int, int], silent: Mapping[int, str]) -> Page:
    """Return ``page`` with the partitions that do not answer now standing where they were."""
    stay = {part: offsets[part] for part in silent if part in offsets and part not in page.begins}
    return replace(page, begins={**page.begins, **stay}, ends={**page.ends, **stay})


def _led(part: Any) -> bool:
    return bool(part.leader >= 0)
