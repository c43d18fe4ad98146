"""Topics with their offsets, rates and settings, and consumer groups with their lag: asked slowly, beside the cluster.

``list_topics()`` answers without a controller; settings, members and commits need servers that may be away for a
while. Each of these can be missing by itself: its error is told, and what was known of the settings is kept with its
time. Calls block; every one has a time-out.
"""

import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import Any, TypeAlias

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType

from pipeline.broker.topics import words
from pipeline.child import now_ms
from pipeline.inventory import GroupsSeen, GroupView, LagView, MemberView, PartitionView, TopicsSeen, TopicView
from pipeline.text import clean

TIMEOUT_S = 3.0
"""For each request."""
GRACE_S = 1.0
"""Beyond it, for the library to say so."""
PROBE_S = 0.5
"""For a broker's port to take a connection."""
CONFIG_MS = 30_000
"""Settings hardly ever change: they are read anew after so long, or when there is another topic."""
CONSUMER_OFFSETS = "__consumer_offsets"
"""Kafka's own fifty partitions: nobody has a lag there, and asking for them would be most of the work."""

Place = tuple[str, int]
"""(topic, partition)."""
Answer: TypeAlias = "Future[Any]"
Asked: TypeAlias = Mapping[Any, Answer]
"""What was asked about → the answer to come."""


class NoAnswerError(Exception):
    """Something was not answered; the message has the library's or the broker's words, cleaned."""


class KafkaInventory:
    """Asks one cluster. ``topics`` is for one thread at a time: each look remembers the one before it."""

    def __init__(self, admin: AdminClient, clock: Callable[[], int] = now_ms) -> None:
        """``clock`` gives milliseconds since the epoch."""
        self._admin = admin
        self._now = clock
        self._ends: dict[str, tuple[int, int]] = {}
        """Topic → (time, sum of end offsets) of the look before."""
        self._brokers: dict[int, tuple[str, int]] = {}
        self._configs: dict[str, dict[str, str]] = {}
        self._configs_time: int | None = None
        self._config_error: str | None = None

    # ------------------------------------------------------------ topics

    def topics(self) -> TopicsSeen:
        """Look at the topics."""
        try:
            self._admin.poll(0)  # serves the library's log
            listed = self._admin.list_topics(timeout=TIMEOUT_S).topics
        except KafkaException as error:
            return TopicsSeen(self._now(), error=words(error))
        partitions = {name: _partitions(topic) for name, topic in listed.items()}
        wanted = [(name, part.id) for name, parts in partitions.items() if name != CONSUMER_OFFSETS for part in parts]
        # All at once: what is away holds the look up for one time-out, not for three.
        first_asked = self._ask_offsets(wanted, OffsetSpec.earliest())
        end_asked = self._ask_offsets(wanted, OffsetSpec.latest())
        configs_asked = self._ask_configs(set(partitions))
        until = _until()
        first, trouble = _offsets(first_asked, until)
        end, more_trouble = _offsets(end_asked, until)
        now = self._now()
        self._keep_configs(configs_asked, set(partitions), now, until)
        topics = []
        for name, parts in sorted(partitions.items()):
            placed = tuple(
                PartitionView(
                    part.id,
                    part.leader,
                    part.replicas,
                    part.in_sync,
                    first.get((name, part.id)),
                    end.get((name, part.id)),
                )
                for part in parts
            )
            topic = TopicView(name, placed, config=self._configs.get(name))
            topics.append(replace(topic, rate=self._rate(topic, now)))
        self._ends = {name: past for name, past in self._ends.items() if name in partitions}
        return TopicsSeen(
            now,
            tuple(topics),
            config_time=self._configs_time,
            config_error=self._config_error,
            offsets_error=more_trouble or trouble,
        )

    def _rate(self, topic: TopicView, now: int) -> float | None:
        end, before = topic.end, self._ends.get(topic.name)
        if end is None:
            return None  # the look before stays: the next rate is over a longer time
        self._ends[topic.name] = (now, end)
        return rate(before, (now, end))

    def _ask_offsets(self, places: list[Place], spec: OffsetSpec) -> Asked:
        request = {TopicPartition(topic, partition): spec for topic, partition in places}
        return self._admin.list_offsets(request, request_timeout=TIMEOUT_S) if request else {}

    def _ask_configs(self, names: set[str]) -> Asked:
        fresh = self._configs_time is not None and self._now() - self._configs_time < CONFIG_MS
        if not names or (fresh and names == self._configs.keys()):
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in sorted(names)]
        asked: Asked = self._admin.describe_configs(resources, request_timeout=TIMEOUT_S)
        return asked

    def _keep_configs(self, asked: Asked, names: set[str], now: int, until: float) -> None:
        if not asked:
            return
        read: dict[str, dict[str, str]] = {}
        self._config_error = None
        for resource, future in asked.items():
            try:
                read[resource.name] = changed(_result(future, until))
            except NoAnswerError as error:
                self._config_error = str(error)
        kept = {name: config for name, config in self._configs.items() if name in names}
        self._configs = kept | read
        if self._config_error is None:
            self._configs_time = now

    # ------------------------------------------------------------ groups

    def groups(self) -> GroupsSeen:
        """Look at the consumer groups; not while a broker is away.

        librdkafka 2.12 aborts the whole process (``rd_kafka_enq_once_del_source_return``) when it waits for the
        coordinator of a group whose broker is away: seen on three brokers with one of them stopped.
        """
        away = self._away()
        if away is not None:
            return GroupsSeen(self._now(), error=away)
        try:
            listed = _result(self._admin.list_consumer_groups(request_timeout=TIMEOUT_S), _until())
        except NoAnswerError as no_answer:
            return GroupsSeen(self._now(), error=str(no_answer))
        names = sorted(listing.group_id for listing in listed.valid)
        # A broker that is away lists no groups; those of the others are told all the same. The library's own words say
        # that these are exceptions; they are plain errors.
        error = words(KafkaException(listed.errors[0])) if listed.errors else None
        if not names:
            return GroupsSeen(self._now(), error=error)
        described = self._admin.describe_consumer_groups(names, request_timeout=TIMEOUT_S)
        commits = {name: self._commits(name) for name in names}
        until = _until()
        groups = [self._group(name, described[name], commits[name], until) for name in names]
        places = sorted({(lag.topic, lag.partition) for group in groups for lag in group.lags or ()})
        ends, _ = _offsets(self._ask_offsets(places, OffsetSpec.latest()), _until())
        return GroupsSeen(self._now(), tuple(with_ends(group, ends) for group in groups), error)

    def _away(self) -> str | None:
        """Tell which broker that was ever listed does not answer at its port; None where all do."""
        try:
            listed = self._admin.list_topics(timeout=TIMEOUT_S).brokers
        except KafkaException as error:
            return words(error)
        self._brokers |= {number: (broker.host, broker.port) for number, broker in listed.items()}
        for number, address in sorted(self._brokers.items()):
            try:
                socket.create_connection(address, PROBE_S).close()
            except OSError as error:
                return clean(f"broker {number} is away ({error}): groups are not asked for meanwhile")
        return None

    def _commits(self, name: str) -> Answer:
        request = [ConsumerGroupTopicPartitions(name)]
        future: Answer = self._admin.list_consumer_group_offsets(request, request_timeout=TIMEOUT_S)[name]
        return future

    @staticmethod
    def _group(name: str, described: Answer, commits: Answer, until: float) -> GroupView:
        troubles: list[str] = []
        group = committed = None
        try:
            group = _result(described, until)
        except NoAnswerError as error:
            troubles.append(f"members: {error}")
        try:
            committed = _result(commits, until).topic_partitions
        except NoAnswerError as error:
            troubles.append(f"commits: {error}")
        members = None if group is None else tuple(_member(member) for member in group.members)
        return GroupView(
            name,
            "UNKNOWN" if group is None else group.state.name,
            members,
            None if committed is None else lags(members or (), committed),
            group.coordinator.id if group is not None and group.coordinator is not None else None,
            group.partition_assignor or "" if group is not None else "",
            "; ".join(troubles) or None,
        )


# ---------------------------------------------------------------- pure


def rate(before: tuple[int, int] | None, now: tuple[int, int]) -> float | None:
    """Return records a second between two looks (time in ms, end offset); None where they do not tell.

    An end that went back is another topic of the same name.
    """
    if before is None or now[0] <= before[0] or now[1] < before[1]:
        return None
    return (now[1] - before[1]) * 1000 / (now[0] - before[0])


def changed(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that differ from the broker's defaults; the value of a secret one is never known."""
    return {
        name: "(secret)" if entry.is_sensitive else str(entry.value)
        for name, entry in sorted(config.items())
        if not entry.is_default
    }


def lags(members: tuple[MemberView, ...], committed: list[TopicPartition]) -> tuple[LagView, ...]:
    """Return a line for each partition that was committed or is assigned; ends are not known yet."""
    offsets: dict[Place, int | None] = {place: None for member in members for place in member.partitions}
    for part in committed:
        offsets[part.topic, part.partition] = part.offset if part.offset >= 0 else None
    return tuple(LagView(topic, partition, offset, None) for (topic, partition), offset in sorted(offsets.items()))


def with_ends(group: GroupView, ends: Mapping[Place, int]) -> GroupView:
    """Return a group whose partitions' ends are filled in, as far as they are known."""
    if group.lags is None:
        return group
    filled = tuple(
        LagView(lag.topic, lag.partition, lag.committed, ends.get((lag.topic, lag.partition))) for lag in group.lags
    )
    return replace(group, lags=filled)


def _partitions(topic: Any) -> list[PartitionView]:
    return [
        PartitionView(number, part.leader if part.leader >= 0 else None, tuple(part.replicas), tuple(part.isrs))
        for number, part in sorted(topic.partitions.items())
    ]


def _member(member: Any) -> MemberView:
    assigned = member.assignment.topic_partitions if member.assignment is not None else ()
    return MemberView(
        member.member_id,
        member.client_id,
        member.host,
        tuple(sorted((part.topic, part.partition) for part in assigned)),
        member.group_instance_id or None,
    )


def _until() -> float:
    """Return until when to wait for what was just asked, all of it together, by the monotonic clock."""
    return time.monotonic() + TIMEOUT_S + GRACE_S


def _offsets(asked: Asked, until: float) -> tuple[dict[Place, int], str | None]:
    """Return the offsets of those that answered, and the last error of the others."""
    found: dict[Place, int] = {}
    trouble = None
    for place, future in asked.items():
        try:
            found[place.topic, place.partition] = _result(future, until).offset
        except NoAnswerError as error:
            trouble = str(error)
    return found, trouble


def _result(future: Answer, until: float) -> Any:
    try:
        return future.result(timeout=max(0.0, until - time.monotonic()))
    except KafkaException as error:
        raise NoAnswerError(words(error)) from error
    except FutureTimeoutError as error:
        raise NoAnswerError(f"no answer within {TIMEOUT_S + GRACE_S:g} s") from error
