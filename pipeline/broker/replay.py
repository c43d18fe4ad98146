"""Dead letters back into the pipeline: what would be sent and where (the dry run), and sending it.

What the sink could not write goes back to its source topic with its original bytes. A frame that the producer refused
is no record: it is examined again, by the same judges, and only a trade that passes now is encoded and sent. Every
record sent says in a header where it comes from. That it is sent once only is for ``pipeline.broker.replayed``.
"""

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.broker.topics import MAX_MESSAGE_BYTES, words
from pipeline.feed.examine import examine
from pipeline.feed.quality import Quality
from pipeline.model import DLQ_TOPICS, PRODUCER_DLQ, TRADE_TOPIC, WINDOW_TOPICS, DeadLetter, Reason, Rejection, Trade
from pipeline.model import Window as ClosedWindow
from pipeline.schemas.codec import CodecError
from pipeline.text import clean

REPLAYED_FROM = "cryptostreamx.replayed_from"
"""Header of a replayed record: the letter's ``topic/partition@offset``."""
SEND_S = 15.0
"""For all in-sync replicas to acknowledge a replayed record."""
_ERRORS = "__connect.errors."
_LATE = "the windows count it as late where its window has closed; the store keeps one row of a (symbol, trade_id)"
# Where the broker or the library says one of these, nothing was written; of anything else nobody can be sure.
_NOT_SENT = (
    KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.INVALID_MSG, KafkaError.INVALID_MSG_SIZE,
    KafkaError.RECORD_LIST_TOO_LARGE, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION,
)  # fmt: skip

Headers = tuple[tuple[str, bytes | None], ...]


class NotSentError(RuntimeError):
    """The record is certainly not in the topic."""


class PerhapsSentError(RuntimeError):
    """No acknowledgement came: the record may be in the topic, or not."""


class Plan(msgspec.Struct, frozen=True):
    """What a replay would do."""

    letter: DeadLetter
    refusal: str | None = None
    """Why it cannot be replayed; None where it can."""
    target: str = ""
    key: bytes | None = None
    value: bytes = b""
    headers: Headers = ()
    timestamp: int | None = None
    """ms; None for the time of sending."""
    facts: tuple[str, ...] = ()
    """What is to be known before it is done."""


class Codec(msgspec.Struct, frozen=True):
    """What a plan needs of the schemas. Each may raise ``RegistryError``, which says nothing of the letter."""

    trade: Callable[[bytes], Trade]
    window: Callable[[bytes], ClosedWindow]
    encode: Callable[[Trade], bytes]


def place_of(letter: DeadLetter) -> str:
    """Return where a letter stands: ``topic/partition@offset``."""
    return f"{letter.topic}/{letter.partition}@{letter.offset}"


def plan(letter: DeadLetter, topics: Collection[str], symbols: Collection[str], codec: Codec, now: int) -> Plan:
    """Return what a replay of ``letter`` would do; ``topics`` exist, ``symbols`` are asked for now, ``now`` is in ms.

    Raises:
        RegistryError: the registry cannot tell a schema now.
    """
    if letter.value is None:
        return Plan(letter, "it has no value")
    made = _frame(letter, symbols, codec, now) if letter.topic == PRODUCER_DLQ else _record(letter, codec)
    if made.refusal is None and made.target not in topics:
        return Plan(letter, f"there is no topic {clean(made.target, 100)}")
    return made


def _record(letter: DeadLetter, codec: Codec) -> Plan:
    """Plan for what the sink could not write: the original bytes to where they came from."""
    value, target = letter.value, letter.header(_ERRORS + "topic")
    assert value is not None
    if target is None:
        return Plan(letter, f"it does not say where it came from (header {_ERRORS}topic)")
    if target in DLQ_TOPICS or target.startswith("__"):
        return Plan(letter, f"nothing is replayed into {clean(target, 100)}")
    facts, timestamp = [f"the original bytes of key and value go to {clean(target, 100)}"], None
    try:
        if target == TRADE_TOPIC:
            trade = codec.trade(value)
            timestamp = trade.event_time
            facts += [f"it decodes as {_words(trade)}", _LATE]
        elif target in WINDOW_TOPICS.values():
            window = codec.window(value)
            timestamp = window.window_start
            facts += [f"it decodes as a window of {clean(window.symbol, 40)} from {window.window_start}"]
    except CodecError as error:
        return Plan(letter, f"it would be refused again: {clean(str(error))}")
    if letter.header(_ERRORS + "stage") == "TASK_PUT":
        facts.append("whether ClickHouse takes it now, only trying shows")
    own = tuple((h.key, h.value) for h in letter.headers if not h.key.startswith(_ERRORS) and h.key != REPLAYED_FROM)
    return Plan(letter, None, target, letter.key, value, own + _mark(letter), timestamp, tuple(facts))


def _frame(letter: DeadLetter, symbols: Collection[str], codec: Codec, now: int) -> Plan:
    """Plan for a refused frame: judged again as it is now; the time at which it arrived stays."""
    frame = letter.value
    assert frame is not None
    truncated = letter.header("error.truncated")
    if truncated is not None:
        return Plan(letter, f"only a part of the frame was kept: {clean(truncated, 100)}")
    if letter.reason == Reason.DUPLICATE:
        return Plan(letter, "a trade with this symbol and id was accepted before: it is in the topic already")
    found = examine(frame, now)
    verdict = Quality(symbols).judge(found, frame) if isinstance(found, Trade) else found
    if isinstance(verdict, Rejection):
        return Plan(letter, f"it would be refused again: {verdict.reason}: {clean(verdict.detail)}")
    if not isinstance(found, Trade):
        return Plan(letter, "it is no trade: nothing of it belongs into a topic")
    received = letter.header("received_time") or ""
    arrived = int(received) if received.isascii() and received.isdigit() and len(received) < 19 else letter.timestamp
    trade = msgspec.structs.replace(found, received_time=arrived)
    facts = (f"it passes now as {_words(trade)}", "it is encoded with the present schema", _LATE)
    key = trade.symbol.encode("utf-8")
    return Plan(letter, None, TRADE_TOPIC, key, codec.encode(trade), _mark(letter), trade.event_time, facts)


def _mark(letter: DeadLetter) -> Headers:
    return ((REPLAYED_FROM, place_of(letter).encode("utf-8")),)


def _words(trade: Trade) -> str:
    return f"trade {trade.trade_id} of {clean(trade.symbol, 40)}: {trade.quantity!r} at {trade.price!r}"


class _Outcome:
    """What became of one record."""

    def __init__(self) -> None:
        self.place: str | None = None
        self.error: KafkaError | None = None

    def delivered(self, error: KafkaError | None, message: Message) -> None:
        self.error = error
        if error is None:
            self.place = f"{message.topic()}/{message.partition()}@{message.offset()}"


def send(made: Plan, kafka: dict[str, Any], seconds: float = SEND_S) -> str:
    """Send what was planned, acknowledged by all in-sync replicas; return its ``topic/partition@offset``.

    ``kafka`` holds addresses and security, as ``Settings.kafka_config`` gives them. Blocks, at most so many seconds.

    Raises:
        NotSentError: nothing was written.
        PerhapsSentError: no acknowledgement came in time.
    """
    assert made.refusal is None, "only what can be replayed is sent"
    own = {
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",  # as Java's, and as the producer's: the key lives where it always lived
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "message.timeout.ms": int(seconds * 1000),
        "allow.auto.create.topics": False,
        "log_level": 3,
    }
    producer, outcome = Producer(kafka | own), _Outcome()
    stamp = {} if made.timestamp is None else {"timestamp": made.timestamp}
    try:
        producer.produce(
            made.target, made.value, made.key, headers=list(made.headers), on_delivery=outcome.delivered, **stamp
        )
    except (KafkaException, BufferError) as error:
        raise NotSentError(words(error)) from error
    producer.flush(seconds + 1)
    if outcome.place is not None:
        return outcome.place
    if outcome.error is not None and outcome.error.code() in _NOT_SENT:
        raise NotSentError(words(KafkaException(outcome.error)))
    why = words(KafkaException(outcome.error)) if outcome.error else f"nothing came within {seconds:.0f} s"
    raise PerhapsSentError(f"{why}: it may have been written all the same")
