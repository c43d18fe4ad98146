"""The windows on Quix Streams: trades in, late ones out, one aggregation for each size, closed windows to their topics.

What a window holds and which trade is late is decided by the pure rules next door (``aggregate``, ``late``); Quix keeps
the state, in step with the committed offsets: changelogs are flushed, then offsets committed, then the state written
locally (``quixstreams/checkpointing/checkpoint.py``), so that after a crash the same trades meet the same state. Late
trades never reach Quix's windows: in partition mode it would take one for the window just closed, and never emit it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from quixstreams import Application, message_context
from quixstreams.dataframe import StreamingDataFrame
from quixstreams.dataframe.windows.aggregations import Aggregator
from quixstreams.dataframe.windows.base import WindowKeyResult
from quixstreams.dataframe.windows.time_based import FixedTimeWindowMultiAggregation
from quixstreams.kafka.configuration import ConnectionConfig
from quixstreams.models import Deserializer, Serializer
from quixstreams.state.serialization import encode_integer_pair

from pipeline.model import GRACE_MS, TRADE_TOPIC, WINDOW_MS, WINDOW_TOPICS, Trade, Window
from pipeline.schemas.codec import CodecError
from pipeline.settings import Settings
from pipeline.text import clean
from pipeline.windows import aggregate, late
from pipeline.windows.changelogs import GROUP, window_store
from pipeline.windows.patience import PatientApplication
from pipeline.windows.stats import Tally

COMMIT_INTERVAL_S = 1.0
POLL_S = 0.25
"""Longest wait for a record; a commit that is due on an idle topic waits this long at most."""
SESSION_MS = 6_000
"""The brokers' smallest default; another member takes over after this."""
STATISTICS_MS = 500
LARGEST = 1e15
"""Of a price or quantity: sums of their products stay finite, as infinity cannot be kept in the state."""
EARLIEST_MS = 1_483_228_800_000
"""2017-01-01: Binance has no trades before it. Quix walks through every window between two event times."""
AHEAD_MS = 24 * 60 * 60 * 1000
"""How far an event time may be ahead of the record's own timestamp: one from the far future would close every window,
and make every trade after it late."""

_LARGEST = max(WINDOW_MS, key=lambda size: WINDOW_MS[size])
_PARTITION_PREFIX = b"partition"

_log = logging.getLogger(__name__)


class PoisonError(ValueError):
    """This record is no trade and never will be one: it is skipped."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _TradeFields(Deserializer):
    """A record's value → the trade, checked for what would spoil the state."""

    def __init__(self, decode: Callable[[bytes], Trade]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._decode = decode

    def __call__(self, value: bytes, ctx: Any) -> Trade:  # noqa: ARG002 - the signature is Quix's
        try:
            trade = self._decode(value)
        except CodecError as error:
            raise PoisonError("undecodable", str(error)) from error
        for name, number in (("price", trade.price), ("quantity", trade.quantity)):
            if not 0 < number <= LARGEST:  # false for NaN
                raise PoisonError("out_of_range", f"{name} is {number}")
        return trade


class _WindowValue(Serializer):
    def __init__(self, encode: Callable[[Window], bytes]) -> None:
        super().__init__()
        self._encode = encode

    def __call__(self, value: Window, ctx: Any) -> bytes:  # noqa: ARG002 - the signature is Quix's
        return self._encode(value)


def _event_time(value: Trade | None, _headers: object, timestamp: int, _type: object) -> int:
    """Return a record's event time; ``timestamp`` is the record's own, from when it was produced."""
    # Quix does not hand a null value to the deserializer, so it is met here first.
    if value is None:
        raise PoisonError("null_value", "the record has no value")
    if not EARLIEST_MS <= value.event_time <= timestamp + AHEAD_MS:
        raise PoisonError("out_of_range", f"event_time is {value.event_time}, produced at {timestamp}")
    return value.event_time


class _Aggregation(Aggregator):
    """``aggregate`` as Quix wants it; the state goes through JSON unchanged."""

    def __init__(self, tally: Tally, *, counts_duplicates: bool) -> None:
        super().__init__()
        self._tally = tally
        self._counts_duplicates = counts_duplicates

    def initialize(self) -> aggregate.State:
        return aggregate.empty()

    def agg(self, old: aggregate.State, new: tuple[Any, ...], timestamp: int) -> aggregate.State:
        trade_id, price, quantity, _ = new
        if not aggregate.add(old, trade_id, timestamp, price, quantity) and self._counts_duplicates:
            self._tally.duplicates += 1
        return old

    def result(self, value: aggregate.State) -> aggregate.State:
        return value


class _TumblingWindow(FixedTimeWindowMultiAggregation):
    """Quix's tumbling window, closed by the partition's time, without what is not needed for each trade here.

    No trade that reaches it is late, intermediate results go nowhere, and the time of each key is not asked for: half
    of the processor time of a trade. State, changelog and closing are Quix's.
    """

    def process_window(
        self,
        value: Any,
        key: Any,
        timestamp_ms: int,
        headers: Any,  # noqa: ARG002 - the signature is Quix's
        transaction: Any,
    ) -> tuple[Iterable[WindowKeyResult], Iterable[WindowKeyResult]]:
        start = timestamp_ms - timestamp_ms % self._duration_ms
        place = encode_integer_pair(start, start + self._duration_ms)
        state = transaction.get(place, prefix=key)
        if state is None:
            state = self._initialize_value()
        transaction.set(place, self._aggregate_value(state, value, timestamp_ms), prefix=key)
        time = max(timestamp_ms, transaction.get_latest_expired(prefix=b""))
        return (), self.expire_by_partition(transaction, time - self._grace_ms, collect=False, message_key=key)


class WindowsTopology:
    """Source, judgement, one branch for each size, sinks; built into an application once."""

    def __init__(
        self,
        app: Application,
        tally: Tally,
        decode: Callable[[bytes], Trade],
        encode: Mapping[str, Callable[[Window], bytes]],
    ) -> None:
        """``encode`` has an encoder for each size. The topics must exist.

        Raises:
            TopicNotFoundError: (Quix's) one of them does not.
        """
        self._tally = tally
        self._judges: dict[int, tuple[object, late.Lateness]] = {}
        source = app.topic(TRADE_TOPIC, value_deserializer=_TradeFields(decode), timestamp_extractor=_event_time)
        self._trades = app.dataframe(source)
        self._trades.register_store()
        judged = self._trades.apply(self._judge, expand=True, metadata=True)
        self.closed: dict[str, StreamingDataFrame] = {}
        """Size → the stream of its closed windows, as ``Window``."""
        for size, topic in WINDOW_TOPICS.items():
            self.closed[size] = self._branch(judged, size)
            self.closed[size].to_topic(app.topic(topic, value_serializer=_WindowValue(encode[size])))

    def _branch(self, judged: StreamingDataFrame, size: str) -> StreamingDataFrame:
        in_time = judged.filter(lambda value: size in value[-1])
        window = _TumblingWindow(
            duration_ms=WINDOW_MS[size],
            grace_ms=GRACE_MS,
            name=window_store(size),
            dataframe=in_time,
            aggregators={"state": _Aggregation(self._tally, counts_duplicates=size == _LARGEST)},
            collectors={},
        )

        def close(result: dict[str, Any], key: bytes, _timestamp: int, _headers: object) -> Window:
            symbol, state, start = key.decode(), result["state"], result["start"]
            self._lateness(message_context().partition).closed(size, symbol, start, state[aggregate.IDS])
            self._tally.closed[size] += 1
            return aggregate.window(state, symbol, start, result["end"])

        return window.final(closing_strategy="partition").apply(close, metadata=True)

    def _judge(self, trade: Trade, key: bytes | None, _timestamp: int, _headers: object) -> list[tuple[Any, ...]]:
        context = message_context()
        if key != trade.symbol.encode():
            # A window goes by the record's key; a trade under another key would enter another symbol's window.
            skip(self._tally, context, PoisonError("wrong_key", f"the key {key!r} is not the symbol {trade.symbol!r}"))
            return []
        self._tally.processed += 1
        partition = context.partition
        lateness = self._lateness(partition)
        verdict = lateness.judge(trade.symbol, trade.trade_id, trade.event_time)
        stream_time = self._tally.stream_time
        if trade.event_time > stream_time.get(partition, 0):
            stream_time[partition] = trade.event_time
        if _LARGEST in verdict.repeated:
            self._tally.duplicates += 1
        if verdict.late:
            self._tally.late[partition] = lateness.counts
            self._tally.late_windows[partition] = lateness.windows
        if not verdict.open:
            return []
        return [(trade.trade_id, trade.price, trade.quantity, verdict.open)]

    def _lateness(self, partition: int) -> late.Lateness:
        """Return a partition's lateness within the current checkpoint; only in the processing thread."""
        transaction = self._trades.processing_context.checkpoint.get_store_transaction(
            stream_id=self._trades.stream_id, partition=partition
        )
        known = self._judges.get(partition)
        if known is not None and known[0] is transaction:
            return known[1]
        # A new checkpoint, after a commit or a new assignment: only the state is to be believed.
        lateness = late.Lateness(transaction.as_state(prefix=_PARTITION_PREFIX))
        self._judges[partition] = transaction, lateness
        return lateness

    def recovered(self) -> bool:
        """Tell whether no state is left to be read back from the changelogs."""
        return not self._trades.processing_context.state_manager.recovery_required

    def load(self, partition: int) -> None:
        """Put what a partition remembers into the tally; only in the processing thread, once recovered."""
        lateness = self._lateness(partition)
        self._tally.late[partition] = lateness.counts
        self._tally.late_windows[partition] = lateness.windows
        if lateness.stream_time is not None:
            self._tally.stream_time[partition] = max(lateness.stream_time, self._tally.stream_time.get(partition, 0))


def skip(tally: Tally, place: Any, error: PoisonError) -> None:
    """Count and log a record that is passed over. ``place`` has Quix's or Kafka's topic, partition and offset."""
    tally.poison += 1
    topic, partition, offset = (
        value() if callable(value) else value for value in (place.topic, place.partition, place.offset)
    )
    _log.warning(
        "skipped %s[%s] offset %s: %s", topic, partition, offset, clean(str(error)), extra={"reason": error.reason}
    )


def application(settings: Settings, state_dir: Path, tally: Tally, on_statistics: Callable[[str], None]) -> Application:
    """Return the Quix application; nothing connects before it runs. ``on_statistics`` is called in its own thread."""

    def on_consumer_error(error: Exception, message: Any, _logger: logging.Logger) -> bool:
        if isinstance(error, PoisonError):
            skip(tally, message, error)
            return True
        if isinstance(error, KafkaException) and not error.args[0].fatal():
            _log.warning("reading from Kafka: %s", clean(str(error)))
            return True  # the client library tries again by itself
        return False

    return PatientApplication(
        broker_address=ConnectionConfig.from_librdkafka_dict(settings.kafka_config()),
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        processing_guarantee="at-least-once",
        commit_interval=COMMIT_INTERVAL_S,
        consumer_poll_timeout=POLL_S,
        state_dir=state_dir,
        loglevel=None,  # the root logger is set up already
        broker_availability_timeout=0,  # the client library comes back by itself; a restart would not help
        on_consumer_error=on_consumer_error,
        consumer_extra_config={
            "fetch.wait.max.ms": 50,
            "group.instance.id": f"{GROUP}-0",
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": SESSION_MS // 3,
            "statistics.interval.ms": STATISTICS_MS,
            "log_level": 2,  # connection failures come by error_cb, which Quix logs
            "stats_cb": on_statistics,
        },
        producer_extra_config={"partitioner": "murmur2_random", "compression.type": "lz4", "log_level": 2},
    )
