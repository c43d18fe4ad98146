"""The sink's loop: read, decode, insert, then commit. At least once; the tables' keys make it once.

Nothing is committed before ClickHouse has acknowledged every row of the batch and Kafka every dead letter of it. While
ClickHouse or the registry is away the partitions are paused and Kafka is still polled, so that the group keeps its
member; nothing goes to the dead letters for that.

A record without a value (a tombstone) is passed over and counted, as the ClickHouse sink of Kafka Connect does.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.feed.backoff import Backoff
from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS
from pipeline.schemas.codec import CodecError
from pipeline.schemas.registry import RegistryError
from pipeline.sink.batch import Bad, Batch, Partition, Record, RefusedError, Row, insert_all
from pipeline.sink.dlq import DECODING, WRITING, DeadLetters, class_name
from pipeline.sink.report import Report
from pipeline.sink.tables import UnavailableError

GROUP = "cryptostreamx-sink"
TOPICS = (TRADE_TOPIC, *WINDOW_TOPICS.values())
BATCH_ROWS = 10_000
LINGER_SECONDS = 0.5
_ENDS_SECONDS = 0.5
_POLL_SECONDS = 0.1

_log = logging.getLogger(__name__)

Decode = Callable[[bytes], msgspec.Struct]


class FatalError(RuntimeError):
    """Kafka says that this consumer cannot go on."""


class Stopped(Exception):  # noqa: N818 - no error: what ends a wait
    """The process was told to stop while it waited."""


class Insert(Protocol):
    """What inserts rows; see ``Inserter``."""

    def __call__(self, table: str, rows: Sequence[Row]) -> None:
        """Insert, or raise ``RefusedError`` or ``UnavailableError``."""


def consumer_config(base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the consumer's configuration over the addresses and security in ``base``."""
    return {
        **base,
        "group.id": GROUP,
        # A static member that comes back within the session time-out takes its partitions without a rebalance.
        "group.instance.id": f"{GROUP}-0",
        "session.timeout.ms": 10_000,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 100,
        "fetch.message.max.bytes": 4 * 1024 * 1024,
        "queued.max.messages.kbytes": 32 * 1024,
    }


class Sink:
    """One consumer, its batch and what it writes to. Single-threaded; ``stop`` may be called from anywhere.

    ``after_insert`` is called between the last insert of a batch and the commit of its offsets.
    """

    def __init__(
        self,
        consumer: Consumer,
        decoders: Mapping[str, Decode],
        insert: Insert,
        dead_letters: DeadLetters,
        report: Report,
        *,
        batch_rows: int = BATCH_ROWS,
        linger: float = LINGER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        after_insert: Callable[[], None] = lambda: None,
    ) -> None:
        self._consumer = consumer
        self._decoders = decoders
        self._insert = insert
        self._dead_letters = dead_letters
        self._report = report
        self._limit = batch_rows
        self._linger = linger
        self._clock = clock
        self._after_insert = after_insert
        self._incoming: deque[Message] = deque()
        self._batch = Batch(batch_rows, linger)
        self._stopping = False
        self._polled = clock()

    def stop(self) -> None:
        """Finish what is in hand and return from ``run``; a wait for ClickHouse is given up instead."""
        self._stopping = True

    def run(self) -> None:
        """Work until ``stop``.

        Raises:
            FatalError: Kafka refuses this consumer for good (another one has its instance id).
        """
        self._consumer.subscribe(list(TOPICS), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not self._stopping:
                self._read(min(_POLL_SECONDS, self._batch.wait(self._clock())))
                self._decode()
                if self._batch.due(self._clock()):
                    self._flush()
                self._report.tick(self._lag)
            self._decode()
            self._flush()
        except Stopped:
            _log.info("stopped while waiting; %d records are left to be read again", len(self._batch))
        finally:
            self._report.send(self._lag)
            self._consumer.close()

    def _read(self, timeout: float) -> None:
        room = max(1, self._limit - len(self._batch) - len(self._incoming))
        for message in self._consumer.consume(room, timeout):
            error = message.error()
            if error is None:
                self._incoming.append(message)
            elif error.fatal() or error.code() == KafkaError.FENCED_INSTANCE_ID:
                raise FatalError(f"Kafka ended this consumer: {error.str()}")
            else:
                _log.warning("Kafka: %s", error.str())
        self._polled = self._clock()

    def _decode(self) -> None:
        backoff = Backoff(most=5.0)
        while self._incoming:
            message = self._incoming[0]
            topic, value = message.topic(), message.value()
            assert topic is not None
            record = _record(message, topic)
            now = self._clock()
            if value is None:
                self._batch.add_tombstone(record, now)
            else:
                try:
                    row = Row(record, msgspec.structs.astuple(self._decoders[topic](value)))
                except CodecError as error:
                    self._batch.add_bad(Bad(record, DECODING, error), now)
                except RegistryError as error:
                    self._wait(str(error), backoff)
                    continue
                else:
                    self._batch.add(topic, row, now)
            self._report.waiting = None
            self._incoming.popleft()

    def _flush(self) -> None:
        """Insert the batch, write its dead letters, commit its offsets; each only after the one before."""
        if not len(self._batch):
            return
        refused = [
            Bad(row.record, WRITING, error)
            for table in list(self._batch.rows)
            for row, error in insert_all(self._batch.rows[table], lambda rows, table=table: self._write(table, rows))  # type: ignore[misc]
        ]
        bad = [*self._batch.bad, *refused]
        for one in bad:
            place = f"{one.record.topic}/{one.record.partition}/{one.record.offset}"
            words = one.error.__cause__ if isinstance(one.error, RefusedError) else one.error
            _log.warning("dead letter: %s: %s", place, words, extra={"reason": one.stage})
        if self._batch.tombstones:
            _log.warning("%d records without a value were passed over", self._batch.tombstones)
        if bad and not self._dead_letters.write(bad, self._executor, self._alive):
            raise Stopped
        if self._report.waiting is not None:
            self._consumer.resume(self._consumer.assignment())
        self._report.dead_letters += len(bad)
        self._report.waiting = None
        self._after_insert()
        self._commit()
        self._batch = Batch(self._limit, self._linger)

    def _write(self, table: str, rows: Sequence[Row]) -> None:
        """Insert, waiting for as long as ClickHouse is away."""
        backoff = Backoff(most=5.0)
        while True:
            if self._clock() - self._polled > 1.0:
                self._poll_paused(0.0)
                self._consumer.resume(self._consumer.assignment())
            started = time.monotonic()
            try:
                self._insert(table, rows)
            except UnavailableError as error:
                self._wait(str(error), backoff)
                continue
            self._report.inserted_rows(table, len(rows), time.monotonic() - started)
            return

    def _wait(self, words: str, backoff: Backoff) -> None:
        """Sit out a delay while polling Kafka with everything paused.

        Raises:
            Stopped: told to stop meanwhile.
        """
        if self._report.waiting is None:
            _log.warning("waiting: %s", words)
        self._report.waiting = words
        until = self._clock() + backoff.delay()
        while (left := until - self._clock()) > 0:
            if not self._alive(words, min(left, _POLL_SECONDS)):
                raise Stopped
        self._consumer.resume(self._consumer.assignment())

    def _alive(self, words: str, seconds: float = 0.0) -> bool:
        """Keep the group membership and the reports going during a wait; return whether to go on."""
        self._report.waiting = words
        self._poll_paused(seconds)
        self._report.tick(self._lag)
        return not self._stopping

    def _poll_paused(self, seconds: float) -> None:
        # Again each time: a rebalance may have brought partitions that are not paused.
        self._consumer.pause(self._consumer.assignment())
        self._read(seconds)

    def _commit(self) -> None:
        offsets = [TopicPartition(topic, part, offset) for (topic, part), offset in self._batch.offsets().items()]
        if not offsets:
            return
        backoff = Backoff(most=5.0)
        while True:
            try:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            except KafkaException as error:
                reason = error.args[0]
                if reason.fatal() or reason.code() == KafkaError.FENCED_INSTANCE_ID:
                    raise FatalError(f"Kafka ended this consumer: {reason.str()}") from error
                if reason.code() in _LOST_MEMBERSHIP:
                    _log.warning("offsets not committed, their records will be read again: %s", reason.str())
                    return
                self._wait(f"committing offsets: {reason.str()}", backoff)
                continue
            self._report.waiting = None
            self._report.committed(self._batch.offsets())
            return

    def _executor(self, bad: Bad) -> str:
        return class_name(self._decoders[bad.record.topic]) if bad.stage == DECODING else class_name(self)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        _log.info("assigned: %s", ", ".join(f"{p.topic}/{p.partition}" for p in partitions))
        try:
            known = consumer.committed(partitions, timeout=10)
        except KafkaException as error:
            _log.warning("committed offsets unknown, so is the lag: %s", error)
            known = partitions
        self._report.assigned({(p.topic, p.partition): p.offset if p.offset >= 0 else None for p in known})

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """What is in hand of them belongs to another consumer now: forget it, that one reads it again."""
        gone = {(p.topic, p.partition) for p in partitions}
        _log.info("revoked: %s", ", ".join(f"{topic}/{part}" for topic, part in gone))
        self._batch.drop(gone)
        self._incoming = deque(m for m in self._incoming if (m.topic(), m.partition()) not in gone)
        self._report.revoked(gone)

    def _lag(self, places: Mapping[Partition, int | None]) -> int | None:
        """Return how many records are not committed yet; None while an end is unknown."""
        total = 0
        for (topic, part), offset in places.items():
            low, high = self._ends(TopicPartition(topic, part))
            if OFFSET_INVALID in (low, high) or high < 0:
                return None
            total += high - max(low, offset if offset is not None else low)
        return total

    def _ends(self, place: TopicPartition) -> tuple[int, int]:
        if self._report.waiting is None:
            known: tuple[int, int] = self._consumer.get_watermark_offsets(place, cached=True)
            return known
        # Nothing is fetched while it waits, and what the library remembers would stand still.
        try:
            found = self._consumer.get_watermark_offsets(place, timeout=_ENDS_SECONDS, cached=False)
        except KafkaException:  # the brokers are away too: the lag is unknown
            found = None
        return found or (OFFSET_INVALID, OFFSET_INVALID)


_LOST_MEMBERSHIP = (
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._ASSIGNMENT_LOST,
)  # fmt: skip


def _record(message: Message, topic: str) -> Record:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    headers = message.headers()
    return Record(topic, partition, offset, message.key(), message.value(), tuple(headers) if headers else ())
