"""The topics: partitions, records, rate, settings; opened, each partition with its leader, replicas and offsets."""

from typing import Any, ClassVar

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.format import UNKNOWN, Line, Span, count, date_time, duration, per_second, safe
from cryptostreamx_tui.panes.health.view import Listing
from cryptostreamx_tui.widgets.columns import Column
from pipeline.inventory import GroupView, PartitionView, TopicView

SETTINGS = ("retention.ms", "cleanup.policy", "min.insync.replicas", "max.message.bytes")
"""The first ones in the detail."""
SIZE = "n/a"
"""Kafka's client cannot ask for sizes on disk (librdkafka#5192)."""


def setting(topic: TopicView, name: str) -> str:
    """Return a topic's setting: its value, ``default``, or ``–`` while it is unknown."""
    if topic.config is None:
        return UNKNOWN
    return topic.config.get(name, "default")


def retention(topic: TopicView) -> str:
    """Return how long records are kept, in words."""
    value = setting(topic, "retention.ms")
    if value == "-1":
        return "for ever"
    return duration(int(value)) if value.isascii() and value.isdigit() else value


def placed(brokers: tuple[int, ...]) -> str:
    """Return broker ids: ``0 1 2``."""
    return " ".join(map(str, brokers)) or "none"


class TopicRows(Listing[TopicView]):
    """One line a topic."""

    key: ClassVar[str] = "topics"
    heading: ClassVar[str] = "Topics"
    topics: ClassVar[tuple[str, ...]] = ("inventory",)
    fields: ClassVar[tuple[str, ...]] = (
        "topic", "partitions", "replicas", "under_replicated", "messages", "messages_per_second", "size_bytes",
        "retention_ms", "cleanup_policy", "min_insync_replicas",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(
            (
                Column("topic", 22, lambda t: Span(t.name, "dim" if t.internal else ""), fixed=True, flexible=True),
                Column("messages", 10, lambda t: Span(count(t.messages)), right=True),
                Column("rate", 7, lambda t: Span(per_second(t.rate), "" if t.rate else "dim"), right=True),
                Column("parts", 5, lambda t: Span(str(len(t.partitions))), right=True),
                Column(
                    "URP",
                    4,
                    lambda t: Span(str(t.under_replicated), "bad" if t.under_replicated else "dim"),
                    right=True,
                ),
                Column("repl.", 5, lambda t: Span(str(t.replicas), "dim"), right=True),
                Column("size", 4, lambda _: Span(SIZE, "dim"), right=True),
                Column("kept", 8, lambda t: Span(retention(t), "dim"), right=True),
                Column("cleanup", 8, lambda t: Span(setting(t, "cleanup.policy"), "dim")),
                Column("min.insync", 10, lambda t: Span(setting(t, "min.insync.replicas"), "dim"), right=True),
            ),
            empty="no topic is known yet",
        )

    def everything(self) -> list[TopicView]:
        """Return the topics; Kafka's own come last."""
        seen = self.state.inventory.topics.seen
        return [] if seen is None else sorted(seen.topics, key=lambda topic: (topic.internal, topic.name))

    def label(self, item: TopicView) -> str:
        """Return the topic's name."""
        return item.name

    def values(self, item: TopicView) -> tuple[Any, ...]:
        """Return the exported values; a setting that is Kafka's default, or unknown, is missing."""
        config = item.config or {}
        return (
            item.name,
            len(item.partitions),
            item.replicas,
            item.under_replicated,
            item.messages,
            item.rate,
            None,
            config.get("retention.ms"),
            config.get("cleanup.policy"),
            config.get("min.insync.replicas"),
        )

    def seen_age(self, now: int) -> int | None:
        """Return the age of the last good look."""
        return self.state.inventory.topics.age(now)

    def stale(self, now: int) -> bool:
        """Tell whether that is too old."""
        return self.state.inventory.topics.stale(now)

    def trouble(self) -> str | None:
        """Return why topics, offsets or settings are missing."""
        known = self.state.inventory.topics
        if known.error is not None or known.seen is None:
            return known.error
        seen = known.seen
        if seen.offsets_error is not None:
            return f"offsets: {seen.offsets_error}"
        return None if seen.config_error is None else f"settings: {seen.config_error}"

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """How many there are, and how many partitions are behind."""
        seen = self.state.inventory.topics.seen
        if seen is None:
            return []
        behind = sum(topic.under_replicated for topic in seen.topics)
        line: Line = [Span(f"{len(seen.topics)}", "dim")]
        return [*line, Span(f" · {behind} partitions under-replicated", "warn")] if behind else line

    def detail(self, item: TopicView) -> Detail:
        """Return a topic with its settings, its partitions, and who reads it."""
        seen, groups = self.state.inventory.topics.seen, self.state.inventory.groups.seen
        return topic_detail(item, groups.groups if groups else (), seen.config_time if seen else None)


def topic_detail(topic: TopicView, groups: tuple[GroupView, ...], config_time: int | None) -> Detail:
    """Return everything known of a topic."""
    config = topic.config or {}
    names = [name for name in SETTINGS if name in config] + [name for name in config if name not in SETTINGS]
    told = {True: "unknown: they could not be read yet", False: "none: all are the broker's defaults"}
    readers = [
        (safe(group.name), f"partition {lag.partition}: lag {count(lag.lag)}")
        for group in groups
        for lag in group.lags or ()
        if lag.topic == topic.name
    ]
    return Detail(
        f"Topic {safe(topic.name, 60)}",
        (
            Section(
                "Topic",
                (
                    ("messages", count(topic.messages)),
                    ("ever written", count(topic.end)),
                    ("rate", per_second(topic.rate)),
                    ("size", f"{SIZE}: Kafka's client cannot ask for it"),
                    ("under-replicated", f"{topic.under_replicated} of {len(topic.partitions)} partitions"),
                ),
            ),
            Section(
                f"Settings that are not the default, read {date_time(config_time)}",
                tuple((safe(name), safe(config[name])) for name in names),
                () if config else (told[topic.config is None],),
            ),
            Section("Partitions", tuple(_partition(part) for part in topic.partitions)),
            Section("Consumer groups", tuple(readers), () if readers else ("no group is known to read it",)),
        ),
    )


def _partition(part: PartitionView) -> tuple[str, str]:
    leader = "OFFLINE" if part.leader is None else f"leader {part.leader}"
    behind = sorted(set(part.replicas) - set(part.in_sync))
    words = [leader, f"replicas {placed(part.replicas)}", f"in sync {placed(part.in_sync)}"]
    if behind:
        words.append(f"BEHIND {placed(tuple(behind))}")
    words.append(f"offsets {UNKNOWN if part.first is None else part.first}–{UNKNOWN if part.end is None else part.end}")
    words.append(f"{count(part.messages)} records")
    return str(part.id), " · ".join(words)
