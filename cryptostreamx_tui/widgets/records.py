"""The two lists of the messages pane: topics, and the records of one."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.message import Message

from cryptostreamx_tui.format import UNKNOWN, Span, clock, count, date_time, size
from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.rows import Rows, Stream
from pipeline.broker.messages import Shown
from pipeline.broker.page import TopicView
from pipeline.schemas.decode import HEX, Decoded


def stamp(ms: int | None) -> str:
    """``08-08 12:04:31.342``; ``–`` where a record has no timestamp."""
    whole = date_time(ms)
    return whole if ms is None or whole == UNKNOWN else f"{whole[5:10]} {clock(ms)}"


def key_words(shown: Shown) -> str:
    """Return a key as it stands in a list, with the window's start where it has one."""
    start = shown.key.window_start
    return shown.key.line if start is None else f"{shown.key.line} · {clock(start)[:8]}"


def _tone(decoded: Decoded) -> str:
    return "dim" if decoded.how == HEX or decoded.how == "null" else ""


class TopicRows(Rows[TopicView]):
    """One line a topic."""

    topics: ClassVar[tuple[str, ...]] = ("messages",)

    class Chosen(Message):
        """A person wants to see a topic's records."""

        def __init__(self, topic: TopicView) -> None:
            self.topic = topic
            super().__init__()

    def __init__(self) -> None:
        super().__init__(
            (
                Column("topic", 40, lambda t: Span(t.name, "dim" if t.internal else ""), fixed=True),
                Column("partitions", 10, lambda t: Span(str(len(t.watermarks))), right=True),
                Column("replicas", 8, lambda t: Span(str(t.replicas)), right=True),
                Column("records", 14, lambda t: Span(count(t.records)), right=True),
                Column("offsets", 24, lambda t: Span(_offsets(t), "dim"), flexible=True),
            ),
            empty="no topics have been read yet",
            id="message-topics",
        )
        self.known: tuple[TopicView, ...] = ()
        self.matching: Sequence[TopicView] = ()

    def show(self, topics: tuple[TopicView, ...], words: tuple[str, ...]) -> None:
        """Show the topics whose names hold every word; the cursor stays on its topic."""
        before = self.selected.name if self.cursor is not None and self.selected else None
        self.known = topics
        self.matching = [topic for topic in topics if all(word in topic.name.casefold() for word in words)]
        names = [topic.name for topic in self.matching]
        if self.cursor is not None:
            self.cursor = names.index(before) if before in names else None
        self.refresh()

    def total(self) -> int:
        """Return the number of topics."""
        return len(self.matching)

    def item(self, index: int) -> TopicView:
        """Return a topic."""
        return self.matching[index]

    def action_open(self) -> None:
        """Show the records of the selected topic."""
        if self.cursor is None:
            self.action_cursor(1)
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))


def _offsets(topic: TopicView) -> str:
    parts = [
        f"{part}: {UNKNOWN if marks is None else f'{marks[0]:,} to {marks[1]:,}'}"
        for part, marks in topic.watermarks.items()
    ]
    return " · ".join(parts)


class RecordRows(Stream[Shown]):
    """One line a record, in the order in which they are read; ``enter`` shows one whole."""

    topics: ClassVar[tuple[str, ...]] = ("messages",)

    class Wanted(Message):
        """A person wants to see a record whole."""

        def __init__(self, shown: Shown) -> None:
            self.shown = shown
            super().__init__()

    def __init__(self, ring: Callable[[], Ring[Shown]]) -> None:
        super().__init__(
            ring,
            (
                Column("time UTC", 18, lambda s: Span(stamp(s.record.timestamp), "dim"), fixed=True),
                Column("part", 4, lambda s: Span(str(s.record.partition), "dim"), right=True),
                Column("offset", 9, lambda s: Span(str(s.record.offset), "dim"), right=True),
                Column("key", 10, lambda s: Span(key_words(s), _tone(s.key))),
                Column("value", 32, lambda s: Span(s.value.line, _tone(s.value)), flexible=True),
                Column("as", 5, lambda s: Span(s.value.how, "warn" if s.value.note else "dim")),
                Column(
                    "size",
                    7,
                    lambda s: Span(size(None if s.record.value is None else len(s.record.value)), "dim"),
                    right=True,
                ),
            ),
            empty="no records",
            id="message-records",
        )
        self.arriving = False
        """Whether records arrive by themselves, so that a view that stands still misses some."""

    @property
    def note(self) -> str:
        """Where nothing arrives, nothing is missed."""
        return super().note if self.arriving else ""

    def action_open(self) -> None:
        """Ask for the selected record."""
        if self.cursor is None:
            self.action_cursor(1)
        if self.selected is not None:
            self.post_message(self.Wanted(self.selected))
