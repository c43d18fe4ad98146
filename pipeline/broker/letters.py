"""A person's questions about dead letters: what a replay would do, and doing it. Blocking calls, for threads."""

from collections.abc import Callable, Collection

from confluent_kafka import KafkaException

from pipeline.broker.replay import Codec, Plan, plan, send
from pipeline.broker.replayed import Mark, Marks, Replayed
from pipeline.broker.topics import admin_client, words
from pipeline.child import now_ms
from pipeline.home import Home
from pipeline.model import TRADE_TOPIC, DeadLetter, Trade
from pipeline.schemas.codec import TradeDecoder, TradeEncoder, WindowDecoder
from pipeline.schemas.registry import Registry, registry_of
from pipeline.schemas.subjects import load_schema
from pipeline.settings import Settings

REQUEST_S = 5.0
"""For the list of topics, and for each answer of the registry."""


class LetterError(RuntimeError):
    """The question cannot be answered now; the message says why."""


class Letters:
    """Dry runs and replays of one run's letters; ``clock`` is in ms since the epoch."""

    def __init__(self, settings: Settings, home: Home, clock: Callable[[], int] = now_ms) -> None:
        self._settings = settings
        self._replayed = Replayed(home)
        self._clock = clock

    def dry_run(self, letter: DeadLetter, symbols: Collection[str]) -> Plan:
        """Return what a replay would do; ``symbols`` are asked for now.

        Raises:
            LetterError: no broker answers.
            RegistryError: a schema cannot be told.
        """
        try:
            topics = admin_client(self._settings).list_topics(timeout=REQUEST_S).topics
        except KafkaException as error:
            raise LetterError(words(error)) from error
        registry = registry_of(self._settings, REQUEST_S)
        try:
            codec = Codec(TradeDecoder(registry), WindowDecoder(registry), lambda trade: _encoded(registry, trade))
            return plan(letter, topics.keys(), symbols, codec, self._clock())
        finally:
            registry.close()

    def replay(self, made: Plan, *, force: bool) -> Mark:
        """Send what was planned, once.

        Raises:
            AlreadyReplayedError: it was sent before, and ``force`` does not say to do it again.
            NotSentError, PerhapsSentError: Kafka did not take it, or nobody knows.
            OSError: what was replayed cannot be noted; nothing was sent.
        """
        config = self._settings.kafka_config()
        return self._replayed.once(made.letter, lambda: send(made, config), self._clock, force=force)

    def replayed(self) -> Marks:
        """Return what was replayed.

        Raises:
            OSError: it cannot be read.
        """
        return self._replayed.marks()


def _encoded(registry: Registry, trade: Trade) -> bytes:
    subject = f"{TRADE_TOPIC}-value"
    schema_id = registry.schema_id(subject, load_schema("binance_trade"))
    if schema_id is None:
        raise LetterError(f"the registry does not have the present schema under {subject}")
    return TradeEncoder(schema_id)(trade)
