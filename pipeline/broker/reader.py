"""The application's own reading from Kafka: a thread that hands on trades, windows and dead letters in batches.

It leaves no trace in the cluster: partitions are assigned, never subscribed to, and nothing is committed. It starts
with the last records of each partition and skips nothing after that.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from pipeline.broker.records import TOPICS, Batch
from pipeline.broker.topics import words
from pipeline.child import now_ms
from pipeline.events import DeadLettersRead, Read, ReaderTrouble
from pipeline.model import DLQ_TOPICS
from pipeline.schemas.codec import TradeDecoder, WindowDecoder
from pipeline.schemas.registry import RegistryError, registry_of
from pipeline.settings import Settings
from pipeline.text import clean

LAST_RECORDS = 500
"""Of each partition, to begin with."""
BATCH_S = 0.1
"""Shortest time between two batches of a kind."""
BATCH_RECORDS = 5_000
"""Records taken from the client library at a time; a batch may hold several times as many."""
METADATA_S = 30.0
"""Between two looks for new partitions."""
RETRY_S = 1.0
"""Between two looks while topics are missing or the brokers away, and two tries at an unknown schema."""
REQUEST_S = 1.0
"""Time-out of a request to the brokers: the thread heeds ``stop`` only between them."""
REMEMBER_UNDECODABLE_S = 10.0
"""How long a record that cannot be decoded stays a trouble."""
JOIN_S = 2.0

_log = logging.getLogger(__name__)


class Reader:
    """Reads every topic of the application, from its own thread."""

    def __init__(self, settings: Settings, emit: Callable[[Read], None]) -> None:
        """``emit`` is called in the reader's thread, at most ten times a second for each kind of event."""
        self._settings = settings
        self._emit = emit
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-reader", daemon=True)
        registry = registry_of(settings)
        self._batch = Batch(TradeDecoder(registry), WindowDecoder(registry))
        self._next: dict[tuple[str, int], int] = {}
        self._undecoded: deque[Any] = deque()
        self._connection_trouble: str | None = None
        self._told: str | None = None
        self._undecodable_seen = 0
        self._undecodable_until = 0.0

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns within two seconds (a thread that hangs in a request is left to die by itself)."""
        self._stopping.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        config = self._settings.kafka_config() | {
            "group.id": "cryptostreamx-screen",  # asked for by the library; the group is never joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "allow.auto.create.topics": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16_384,
            "reconnect.backoff.max.ms": 2_000,
            "log_level": 3,
            "error_cb": self._on_error,
        }
        consumer = Consumer(config, logger=_log)
        try:
            self._loop(consumer)
        except Exception as error:  # noqa: BLE001 - the screen must tell that it is blind now, whatever it was
            _log.exception("the reader ended")
            self._emit(ReaderTrouble(now_ms(), clean(f"reading from Kafka ended: {type(error).__name__}: {error}")))
        finally:
            consumer.close()

    def _loop(self, consumer: Consumer) -> None:
        look_at = emit_at = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            if now >= look_at:
                complete = self._assign(consumer)
                look_at = time.monotonic() + (METADATA_S if complete else RETRY_S)
            elif self._connection_trouble is not None:
                look_at = min(look_at, now + RETRY_S)  # an answer is what ends the trouble
            if self._undecoded:
                self._decode()
                if self._undecoded:
                    self._stopping.wait(RETRY_S)
            elif self._next:
                self._take(consumer.consume(BATCH_RECORDS, timeout=BATCH_S))
            else:
                self._stopping.wait(BATCH_S)
            now = time.monotonic()
            if now - emit_at >= BATCH_S:
                emit_at = now
                self._tell_trouble()
                for event in self._batch.take(now_ms()):
                    self._emit(event)

    def _assign(self, consumer: Consumer) -> bool:
        """Take up partitions that are not read yet. Return False while topics are missing or nobody answers."""
        try:
            topics = consumer.list_topics(timeout=REQUEST_S).topics
            found = {(name, partition) for name in TOPICS if name in topics for partition in topics[name].partitions}
            new = found - self._next.keys()
            known_topics = {topic for topic, _ in self._next}
            tails = {
                place: (0, None) if place[0] in known_topics else self._tail(consumer, place) for place in sorted(new)
            }  # a partition that was added later is read from its beginning: nothing of it was seen
        except KafkaException as error:
            self._connection_trouble = words(error)
            return False
        self._connection_trouble = None
        if tails:
            self._next |= {place: start for place, (start, _) in tails.items()}
            consumer.assign([TopicPartition(topic, part, offset) for (topic, part), offset in self._next.items()])
        ends = [(start, end) for (topic, _), (start, end) in tails.items() if topic in DLQ_TOPICS]
        if ends and all(start == end for start, end in ends):
            self._emit(DeadLettersRead((), now_ms()))  # known to be none, which is more than none known
        return {topic for topic, _ in self._next} == set(TOPICS)

    @staticmethod
    def _tail(consumer: Consumer, place: tuple[str, int]) -> tuple[int, int | None]:
        """Return where to begin in a partition, and its end."""
        low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=REQUEST_S)
        return max(int(low), int(high) - LAST_RECORDS), int(high)

    def _take(self, messages: list[Any]) -> None:
        for message in messages:
            error = message.error()
            if error is not None:
                self._on_error(error)
                continue
            self._undecoded.append(message)
            self._next[message.topic(), message.partition()] = message.offset() + 1
        if self._undecoded:
            self._decode()

    def _decode(self) -> None:
        """Decode what was taken, in order; what waits for the registry stays."""
        try:
            while self._undecoded:
                self._batch.add(self._undecoded[0])
                self._undecoded.popleft()
            self._connection_trouble = None
        except RegistryError as error:
            self._connection_trouble = str(error)

    def _on_error(self, error: KafkaError) -> None:
        # The library reconnects by itself, and tells of each broker; only the loss of all of them stops the reading.
        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():
            # What the last request said, if one failed already, says more than how many are down.
            self._connection_trouble = self._connection_trouble or words(KafkaException(error))
        else:
            _log.info("Kafka: %s", words(KafkaException(error)))

    def _tell_trouble(self) -> None:
        """Emit the trouble where it has changed."""
        batch, now = self._batch, time.monotonic()
        if batch.undecodable > self._undecodable_seen:
            self._undecodable_seen = batch.undecodable
            if now >= self._undecodable_until - REMEMBER_UNDECODABLE_S + 1:  # once a second at most
                _log.warning("%d record(s) could not be decoded, last %s", batch.undecodable, batch.last_undecodable)
            self._undecodable_until = now + REMEMBER_UNDECODABLE_S
        trouble = self._connection_trouble
        if trouble is None and now < self._undecodable_until:
            trouble = f"{self._undecodable_seen} record(s) could not be decoded, last {batch.last_undecodable}"
        if trouble != self._told:
            self._told = trouble
            self._emit(ReaderTrouble(now_ms(), trouble))
