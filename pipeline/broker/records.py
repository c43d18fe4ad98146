"""Kafka records → what the application shows: decoding, batching, and the words for what cannot be decoded.

Knows the topics and the codec, not where records come from: messages are taken as the client library's, by shape.
"""

from collections.abc import Callable
from typing import Any, Protocol

from pipeline.events import DeadLettersRead, ReadTrade, TradesRead, WindowsRead
from pipeline.model import DLQ_TOPICS, TRADE_TOPIC, WINDOW_TOPICS, DeadLetter, Header, Trade, Window
from pipeline.schemas.codec import CodecError
from pipeline.text import clean

TOPICS = (TRADE_TOPIC, *WINDOW_TOPICS.values(), *DLQ_TOPICS)
"""What the application reads."""


class Message(Protocol):
    """The part of ``confluent_kafka.Message`` that is used; ``error()`` was None."""

    def topic(self) -> str: ...  # noqa: D102 - the client library's names
    def partition(self) -> int: ...  # noqa: D102
    def offset(self) -> int: ...  # noqa: D102
    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102
    def key(self) -> bytes | None: ...  # noqa: D102
    def value(self) -> bytes | None: ...  # noqa: D102
    def headers(self) -> list[tuple[str, bytes | None]] | None: ...  # noqa: D102


class Batch:
    """Records decoded and not emitted yet."""

    def __init__(self, trade: Callable[[bytes], Trade], window: Callable[[bytes], Window]) -> None:
        """``trade`` and ``window`` decode a value; they raise CodecError for what never will be one."""
        self._trade = trade
        self._window = window
        self._trades: list[ReadTrade] = []
        self._windows: list[Window] = []
        self._letters: list[DeadLetter] = []
        self.undecodable = 0
        """Since the start."""
        self.last_undecodable: str | None = None
        """Which record, and why; cleaned."""

    def add(self, message: Message) -> None:
        """Decode one record; one that cannot be decoded is counted and passed over.

        Raises:
            RegistryError: its schema is unknown and the registry does not answer; try the same record again.
        """
        topic = message.topic()
        try:
            if topic == TRADE_TOPIC:
                value = message.value() or b""
                trade = self._trade(value)
                self._trades.append(
                    ReadTrade(
                        trade,
                        message.partition(),
                        message.offset(),
                        message.timestamp()[1],
                        int.from_bytes(value[1:5], "big"),  # the decoder has seen that it is there
                    )
                )
            elif topic in DLQ_TOPICS:
                self._letters.append(_dead_letter(message))
            else:
                self._windows.append(self._window(message.value() or b""))
        except CodecError as error:
            self.undecodable += 1
            self.last_undecodable = clean(f"{topic}[{message.partition()}] offset {message.offset()}: {error}")

    def take(self, now: int) -> list[TradesRead | WindowsRead | DeadLettersRead]:
        """Return everything that waits, oldest first, as one event of each kind, and forget it."""
        events: list[TradesRead | WindowsRead | DeadLettersRead] = []
        if self._trades:
            # In order already, but for several partitions read one after another.
            self._trades.sort(key=lambda read: read.timestamp)
            events.append(TradesRead(tuple(self._trades), now))
            self._trades = []
        if self._windows:
            self._windows.sort(key=lambda window: (window.window_end, window.window_start))
            events.append(WindowsRead(tuple(self._windows), now))
            self._windows = []
        if self._letters:
            self._letters.sort(key=lambda letter: letter.timestamp)
            events.append(DeadLettersRead(tuple(self._letters), now))
            self._letters = []
        return events


def _dead_letter(message: Message) -> DeadLetter:
    headers: Any = message.headers() or ()
    return DeadLetter(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(Header(key, value) for key, value in headers),
    )
