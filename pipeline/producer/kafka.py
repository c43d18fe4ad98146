"""Trades and dead letters into Kafka: acknowledged by all in-sync replicas, counted, never dropped.

When the client library's queue is full, what does not fit is held (one message a connection at most) and the reader
waits (``room``): back-pressure, all the way to the exchange's socket. Everything here runs in the event loop's thread:
delivery reports are served by ``serve``. It knows nothing of Avro.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from pipeline.child import now_ms
from pipeline.model import PRODUCER_DLQ, TRADE_TOPIC, Rejection
from pipeline.quantiles import Histogram
from pipeline.text import clean

QUEUE_MESSAGES = 200_000
QUEUE_KBYTES = 256 * 1024
RESUME_BELOW = 0.9
"""Share of the queue at which reading goes on, so that it does not stop and go with each message."""
POLL_EVERY = 0.005
"""Seconds between two looks for delivery reports: what the latency is measured to."""
POLL_AFTER = 500
"""Messages after which delivery reports are looked for in any case."""
MAX_VALUE = 900_000
"""Bytes of a dead letter's value; brokers take about 1,000,000 for the whole record."""
_SAME_ERROR_AFTER = 10.0

log = logging.getLogger("pipeline.producer")


def producer_config(kafka: dict[str, Any]) -> dict[str, Any]:
    """Return librdkafka's configuration, from that of any client of ours."""
    return {
        **kafka,
        "client.id": "cryptostreamx-producer",
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": 20,
        "batch.size": 32_768,
        "partitioner": "murmur2_random",  # as Java's: ksqlDB and Kafka Streams then agree on where a key lives
        "message.timeout.ms": 0,  # an outage of the brokers is waited out, however long
        "queue.buffering.max.messages": QUEUE_MESSAGES,
        "queue.buffering.max.kbytes": QUEUE_KBYTES,
        "reconnect.backoff.max.ms": 1_000,
        "log_level": 2,  # connection failures come by error_cb
    }


class KafkaWriter:
    """The producer's side of Kafka. Counters are since the start."""

    def __init__(self, config: dict[str, Any]) -> None:
        """``config`` is librdkafka's, see ``producer_config``."""
        self._producer = Producer({**config, "error_cb": self._on_error})
        self._produce, self._poll = self._producer.produce, self._producer.poll
        self._resume_below = int(config.get("queue.buffering.max.messages", QUEUE_MESSAGES) * RESUME_BELOW)
        self._held: deque[dict[str, Any]] = deque()
        self._has_room = asyncio.Event()
        self._since_poll = 0
        self._blocked_since: float | None = None
        self._blocked = 0.0
        self._errors: dict[str, float] = {}
        self._keys: dict[str, bytes] = {}
        self.fatal: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Set when the client library can send nothing any more; says why."""
        self.acknowledged_after = Histogram()
        """Frame received → acknowledgement, since last taken."""
        self.sent = self.acknowledged = self.failed = self.dead_letters = 0

    @property
    def in_flight(self) -> int:
        """Trades handed over and not acknowledged yet."""
        return self.sent - self.acknowledged - self.failed

    @property
    def queue(self) -> int:
        """Messages in the client library's queue, and those held because it is full."""
        return len(self._producer) + len(self._held)

    @property
    def blocked_ms(self) -> int:
        """Time spent with a full queue."""
        now = 0.0 if self._blocked_since is None else time.monotonic() - self._blocked_since
        return int((self._blocked + now) * 1000)

    def send(self, symbol: str, value: bytes, event_time: int, received_time: int) -> None:
        """Hand over one encoded trade; keyed by its symbol, stamped with its event time."""
        key = self._keys.get(symbol)
        if key is None:
            key = self._keys[symbol] = symbol.encode("utf-8")
        self.sent += 1
        acknowledged = partial(self._on_trade, received_time)
        try:
            self._produce(TRADE_TOPIC, value, key, on_delivery=acknowledged, timestamp=event_time)
        except BufferError:
            self._hold(topic=TRADE_TOPIC, value=value, key=key, on_delivery=acknowledged, timestamp=event_time)
        self._since_poll += 1
        if self._since_poll >= POLL_AFTER:
            self._since_poll = 0
            self._poll(0)

    def quarantine(self, rejection: Rejection) -> None:
        """Hand over a refused frame to the producer's dead letter topic, exactly as received where it fits."""
        headers = [
            ("error.reason", rejection.reason.encode()),
            ("error.field", (rejection.field or "").encode("utf-8", "backslashreplace")),
            ("error.detail", rejection.detail.encode("utf-8", "backslashreplace")),
            ("received_time", str(rejection.received_time).encode()),
        ]
        value = rejection.frame
        if len(value) > MAX_VALUE:
            headers.append(("error.truncated", f"{MAX_VALUE} of {len(value)} bytes".encode()))
            value = value[:MAX_VALUE]
        record = {
            "topic": PRODUCER_DLQ,
            "value": value,
            "key": None if rejection.symbol is None else rejection.symbol.encode("utf-8"),
            "headers": headers,
            "on_delivery": self._on_dead_letter,
        }
        try:
            self._produce(**record)
        except BufferError:
            self._hold(**record)

    def room(self) -> Awaitable[Any] | None:
        """Return None while there is room, else what to wait for before anything more is read."""
        return self._has_room.wait() if self._held else None

    async def serve(self) -> None:
        """Serve delivery reports and hand over what was held; runs until cancelled."""
        while True:
            self._poll(0)
            if self._held and len(self._producer) < self._resume_below:
                self._hand_over()
            await asyncio.sleep(POLL_EVERY)

    def flush(self, seconds: float) -> int:
        """Wait until everything is acknowledged, at most so long; return how many trades are not, and give those up."""
        deadline = time.monotonic() + seconds
        while self._held and time.monotonic() < deadline:
            self._poll(0.05)
            self._hand_over()
        self._producer.flush(max(0.0, deadline - time.monotonic()))
        left = self.in_flight
        if self.queue:
            self._producer.purge()
            self._poll(0)
            self._held.clear()
            self.failed += self.in_flight
        return left

    def _hold(self, **record: Any) -> None:
        if not self._held:
            self._blocked_since = time.monotonic()
            self._has_room.clear()
            log.warning("Kafka takes no more: %d messages wait, reading stops until there is room", self.queue)
        self._held.append(record)

    def _hand_over(self) -> None:
        try:
            while self._held:
                self._produce(**self._held[0])
                self._held.popleft()
        except BufferError:
            return
        assert self._blocked_since is not None
        waited, self._blocked_since = time.monotonic() - self._blocked_since, None
        self._blocked += waited
        log.info("Kafka takes messages again after %.1f s", waited)
        self._has_room.set()

    def _on_trade(self, received_time: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acknowledged += 1
            self.acknowledged_after.add(max(0, now_ms() - received_time))  # below 0: the clock was set back
            return
        self.failed += 1
        if error.code() in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            return  # given up by flush, which tells how many
        symbol = (message.key() or b"").decode("utf-8", "backslashreplace")
        log.error(
            "trade of %s with event time %s lost: %s",
            symbol,
            message.timestamp()[1],
            clean(error.str()),
            extra={"reason": error.name(), "symbol": symbol},
        )

    def _on_dead_letter(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.dead_letters += 1
        else:
            log.error("a refused frame did not get into %s: %s", message.topic(), clean(error.str()))

    def _on_error(self, error: KafkaError) -> None:
        """Log what the client library reports by itself: brokers gone, mostly, which it retries."""
        words = clean(error.str())
        if error.fatal():
            if not self.fatal.done():
                self.fatal.set_result(f"Kafka client: {words}")
            return
        # By code: the words change with each attempt ("1 identical error(s) suppressed").
        kind, now = error.name(), time.monotonic()
        if now - self._errors.get(kind, -math.inf) >= _SAME_ERROR_AFTER:
            self._errors[kind] = now
            log.warning("Kafka: %s", words, extra={"reason": kind})
