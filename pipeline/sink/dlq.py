"""Dead letters of the sink: Kafka Connect's headers, and a producer that knows when they are safe.

The names and their order are Connect's (``DeadLetterQueueReporter``), so that whatever reads a Connect sink's dead
letters reads these; class names are Python's, where Connect has Java's.
"""

import functools
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.model import SINK_DLQ
from pipeline.sink.batch import Bad

DECODING = "VALUE_CONVERTER"
WRITING = "TASK_PUT"
"""Connect's stages."""
CONNECTOR = "cryptostreamx-sink"
_PREFIX = "__connect.errors."

_log = logging.getLogger(__name__)


def dead_letter_headers(bad: Bad, executor: str) -> list[tuple[str, bytes | None]]:
    """Return the record's own headers and, after them, Connect's, in Connect's order.

    ``executor`` is the full name of the class that did the stage's work.
    """
    record, error = bad.record, bad.error
    fields = (
        ("topic", record.topic),
        ("partition", str(record.partition)),
        ("offset", str(record.offset)),
        ("connector.name", CONNECTOR),
        ("task.id", "0"),
        ("stage", bad.stage),
        ("class.name", executor),
        ("exception.class.name", class_name(error)),
        ("exception.message", str(error)),
        ("exception.stacktrace", stack_trace(error)),
    )
    return [*record.headers, *((_PREFIX + name, text.encode("utf-8", "backslashreplace")) for name, text in fields)]


def class_name(thing: object) -> str:
    """Return the full name of an object's class."""
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def stack_trace(error: Exception) -> str:
    """Write an error in the form of a Java stack trace: each cause on a line of its own, ``Caused by: …``."""
    lines: list[str] = []
    seen: BaseException | None = error
    lead = ""
    while seen is not None:
        lines.append(f"{lead}{class_name(seen)}: {seen}")
        lines += [f"\tat {frame.name}({frame.filename.rpartition('/')[2]}:{frame.lineno})"
                  for frame in reversed(traceback.extract_tb(seen.__traceback__, limit=8))]  # fmt: skip
        seen, lead = seen.__cause__, "Caused by: "
    if error.__cause__ is None:
        lines.append(f"Caused by: {class_name(error)}: {error}")  # readers look for the last of these
    return "\n".join(lines) + "\n"


class DeadLetters:
    """Writes dead letters and waits for Kafka's acknowledgement of each."""

    def __init__(self, config: dict[str, Any]) -> None:
        """``config`` holds the addresses and security, as ``Settings.kafka_config`` gives them."""
        own = {"enable.idempotence": True, "acks": "all", "linger.ms": 5, "message.max.bytes": 2 * 1024 * 1024}
        self._producer = Producer(config | own | {"partitioner": "murmur2_random"})

    def write(self, bad: Sequence[Bad], executor: Callable[[Bad], str], alive: Callable[[str], bool]) -> bool:
        """Write them all; return True once Kafka has acknowledged each.

        While it has not, ``alive`` is asked again and again, with why, whether to go on; False gives up.
        """
        left = list(bad)
        while left:
            attempt = _Attempt()
            for one in left:
                self._produce(one, executor(one), attempt)
            while self._producer.flush(0.5):
                if not alive(attempt.words):
                    return False
            left = attempt.failed
            if left:
                _log.warning("%d dead letters are written again: %s", len(left), attempt.words)
                if not alive(attempt.words):
                    return False
        return True

    def _produce(self, one: Bad, executor: str, attempt: "_Attempt") -> None:
        try:
            self._producer.produce(
                SINK_DLQ,
                key=one.record.key,
                value=one.record.value,
                headers=dead_letter_headers(one, executor),
                on_delivery=functools.partial(attempt.delivered, one),
            )
        except (BufferError, KafkaException) as error:
            attempt.note(one, str(error))
        self._producer.poll(0)


class _Attempt:
    """One round of writing: which dead letters failed, and Kafka's words for it."""

    def __init__(self) -> None:
        self.failed: list[Bad] = []
        self.words = "Kafka has not acknowledged the dead letters yet"

    def delivered(self, one: Bad, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self.note(one, error.str())

    def note(self, one: Bad, words: str) -> None:
        self.failed.append(one)
        self.words = f"Kafka refuses dead letters: {words}"
