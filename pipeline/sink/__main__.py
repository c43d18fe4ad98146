"""``python -m pipeline.sink``: settings from the environment, reports once a second on standard output.

Ready once its partitions are assigned. On SIGTERM, SIGINT or the end of standard input it inserts and commits what is
in hand, and exits with 0; with 1 and ``Failed`` when it cannot go on.
"""

import logging
import signal
import sys
import time
from types import FrameType

from confluent_kafka import Consumer, KafkaError, KafkaException

from pipeline.child import Channel, now_ms, start_logging
from pipeline.events import Failed, Ready
from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS
from pipeline.schemas.codec import TradeDecoder, WindowDecoder
from pipeline.schemas.registry import registry_of
from pipeline.settings import Settings, SettingsError
from pipeline.sink.builtin import Decode, FatalError, Sink, consumer_config
from pipeline.sink.dlq import DeadLetters
from pipeline.sink.report import Report
from pipeline.sink.tables import Inserter
from pipeline.store.client import connect

INSERT_SECONDS = 30
"""An insert that takes longer is tried again."""


def build(settings: Settings, report: Report) -> Sink:
    """Make the sink that the settings describe.

    Raises:
        KafkaException: the configuration is not one that Kafka's client takes.
    """
    registry = registry_of(settings)
    window = WindowDecoder(registry)
    decoders: dict[str, Decode] = {TRADE_TOPIC: TradeDecoder(registry), **dict.fromkeys(WINDOW_TOPICS.values(), window)}
    config = settings.kafka_config() | {"error_cb": _kafka_trouble}
    return Sink(
        Consumer(consumer_config(config)),
        decoders,
        Inserter(lambda: connect(settings, INSERT_SECONDS)),
        DeadLetters(config),
        report,
    )


def main() -> int:
    """Run the sink; return the exit code."""
    channel = Channel()
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        channel.send(Failed(reason=str(error)))
        return 2
    start_logging(channel, settings, "sink")
    # It logs each attempt with a stack trace; what comes of an attempt is logged here.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    report = Report(channel.send, lambda: channel.send(Ready()), time.monotonic, now_ms)
    try:
        sink = build(settings, report)

        def stop(_signal: int | None = None, _frame: FrameType | None = None) -> None:
            sink.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        channel.listen(lambda _: None, stop)
        sink.run()
    except (FatalError, KafkaException) as error:
        logging.getLogger("pipeline.sink").error("cannot go on: %s", error)
        channel.send(Failed(reason=f"sink: {error}"))
        return 1
    return 0


def _kafka_trouble(error: KafkaError) -> None:
    logging.getLogger("pipeline.sink").warning("Kafka: %s", error.str())


if __name__ == "__main__":
    sys.exit(main())
