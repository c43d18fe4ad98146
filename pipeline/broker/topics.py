"""The topics: which there must be, making the missing ones, and telling where an existing one differs.

An existing topic is never changed: what differs is said, and a person decides. It knows nothing of what the records
mean. Calls block; every one has a time-out.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from pipeline.events import StepState
from pipeline.model import DLQ_TOPICS, TRADE_TOPIC, WINDOW_TOPICS
from pipeline.settings import Settings
from pipeline.text import clean

TIMEOUT_S = 15.0
"""For each call to the brokers."""
LEADERS_TIMEOUT_S = 20.0
"""For the leaders of new topics to be elected."""
FORMING_TIMEOUT_S = 20.0
"""For the brokers to find each other."""
POLL_S = 0.05
MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""A frame of 1 MB with its headers must fit into a dead letter."""
ANY_TIME_MS = str(2**63 - 1)

COMMON = {
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
    "message.timestamp.type": "CreateTime",
    # Windows carry event times, of years ago when a recording is replayed; clocks differ a little too. Kafka 4 would
    # refuse records an hour ahead by default.
    "message.timestamp.before.max.ms": ANY_TIME_MS,
    "message.timestamp.after.max.ms": ANY_TIME_MS,
}
KEPT = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
"""Retention goes by record timestamps: any finite one would delete a recording's windows as they are written."""

_log = logging.getLogger(__name__)

OnResult = Callable[[str, StepState, str], None]
"""Called with a topic's name, its state and a detail; in the thread that called ``ensure_topics``."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must be."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)
    """Kafka's topic configuration, only what is set on purpose."""


def admin_client(settings: Settings) -> AdminClient:
    """Return an admin client whose library's own lines go to the log: by default they go to the terminal."""
    return AdminClient(settings.kafka_config() | {"reconnect.backoff.max.ms": 2_000, "log_level": 3}, logger=_log)


def wanted_topics(settings: Settings) -> list[TopicSpec]:
    """Return the trade topic, the window topics and the dead letter topics, as the settings want them."""
    config = COMMON | KEPT | {"min.insync.replicas": str(settings.min_insync)}
    partitions = {TRADE_TOPIC: settings.topic_partitions}
    partitions |= dict.fromkeys(WINDOW_TOPICS.values(), settings.topic_partitions)
    partitions |= dict.fromkeys(DLQ_TOPICS, 1)
    return [TopicSpec(name, count, settings.replication, config) for name, count in partitions.items()]


def ensure_topics(admin: AdminClient, specs: Iterable[TopicSpec], on_result: OnResult) -> bool:
    """Create the topics that are missing, compare the others, and tell each one's result.

    DONE: created, and every partition has a leader. EXISTS: there, and as wanted. DIFFERENT: there, and the detail says
    what differs. FAILED: the detail holds the broker's words. Returns False where one failed.
    """
    specs = list(specs)
    needed = max(spec.replication for spec in specs)
    try:
        existing = _metadata(admin, lambda found: len(found.brokers) >= needed and found.controller_id >= 0).topics
    except KafkaException as error:
        for spec in specs:
            on_result(spec.name, StepState.FAILED, words(error))
        return False
    missing = [spec for spec in specs if spec.name not in existing]
    present = [spec for spec in specs if spec.name in existing]
    # Both, whatever comes out of the first: each topic has its own line.
    results = [_create(admin, missing, on_result), _compare(admin, present, existing, on_result)]
    return all(results)


def _metadata(admin: AdminClient, formed: Callable[[Any], bool]) -> Any:
    """Return the first metadata that ``formed`` holds for; the last, if there are none in time.

    A broker that has just started, or a controller that has just been elected, lists fewer brokers and fewer topics
    than there are: taken at its word, all topics would be missing.
    """
    deadline = time.monotonic() + FORMING_TIMEOUT_S
    while True:
        found = admin.list_topics(timeout=TIMEOUT_S)
        if formed(found) or time.monotonic() > deadline:
            return found
        time.sleep(POLL_S)


def words(error: Exception) -> str:
    """Return the client library's or the broker's own words for an error, cleaned, with the error's name."""
    cause = error.args[0] if error.args else None
    return clean(f"{cause.str()} ({cause.name()})" if isinstance(cause, KafkaError) else str(error))


def differences(spec: TopicSpec, partitions: int, replication: int, config: Mapping[str, str | None]) -> list[str]:
    """Return in words how a topic differs from what is wanted; names that the broker does not know are left out."""
    found = [("partitions", str(partitions), str(spec.partitions))]
    found.append(("replicas", str(replication), str(spec.replication)))
    found += [(name, str(config[name]), value) for name, value in spec.config.items() if name in config]
    return [f"{name} {is_}, wanted {wanted}" for name, is_, wanted in found if is_ != wanted]


def _create(admin: AdminClient, specs: list[TopicSpec], on_result: OnResult) -> bool:
    if not specs:
        return True
    new = [
        NewTopic(spec.name, num_partitions=spec.partitions, replication_factor=spec.replication, config=spec.config)
        for spec in specs
    ]
    futures = admin.create_topics(new, operation_timeout=TIMEOUT_S, request_timeout=TIMEOUT_S)
    created, raced, good = [], [], True
    for spec in specs:
        try:
            futures[spec.name].result(timeout=2 * TIMEOUT_S)
            created.append(spec)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                raced.append(spec)  # somebody was faster; what they made is compared below
                continue
            good = False
            on_result(spec.name, StepState.FAILED, words(error))
    if raced:
        topics = _metadata(admin, lambda found: all(spec.name in found.topics for spec in raced)).topics
        for spec in raced:
            if spec.name not in topics:
                good = False
                on_result(spec.name, StepState.FAILED, "it is there already, but no broker lists it")
        good &= _compare(admin, [spec for spec in raced if spec.name in topics], topics, on_result)
    return _await_leaders(admin, created, on_result) and good


def _await_leaders(admin: AdminClient, specs: list[TopicSpec], on_result: OnResult) -> bool:
    """Tell DONE for each topic as soon as all its partitions have a leader."""
    deadline = time.monotonic() + LEADERS_TIMEOUT_S
    waiting = {spec.name: spec for spec in specs}
    trouble = ""
    while waiting:
        try:
            topics = admin.list_topics(timeout=TIMEOUT_S).topics
        except KafkaException as error:
            topics, trouble = {}, words(error)
        for name, spec in list(waiting.items()):
            found = topics[name].partitions if name in topics else {}
            led = sum(partition.leader >= 0 for partition in found.values())
            if led == spec.partitions:
                del waiting[name]
                on_result(name, StepState.DONE, f"{spec.partitions} partition(s), {spec.replication} replica(s)")
            elif time.monotonic() > deadline:
                on_result(
                    name,
                    StepState.FAILED,
                    f"created, but only {led} of {spec.partitions} partition(s) have a leader. {trouble}".strip(),
                )
        if time.monotonic() > deadline:
            break
        if waiting:
            time.sleep(POLL_S)
    return not waiting


def _config(admin: AdminClient, topic: str) -> dict[str, str | None]:
    """Return a topic's configuration. A broker that has just started may not know a topic that the others have."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    deadline = time.monotonic() + FORMING_TIMEOUT_S
    while True:
        try:
            entries = admin.describe_configs([resource], request_timeout=TIMEOUT_S)[resource].result(2 * TIMEOUT_S)
        except KafkaException as error:
            unknown = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
            if not unknown or time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)
        else:
            return {name: entry.value for name, entry in entries.items()}


def _compare(admin: AdminClient, specs: list[TopicSpec], topics: Mapping[str, Any], on_result: OnResult) -> bool:
    good = True
    for spec in specs:
        try:
            config = _config(admin, spec.name)
        except KafkaException as error:
            good = False
            on_result(spec.name, StepState.FAILED, f"its configuration cannot be read: {words(error)}")
            continue
        partitions = topics[spec.name].partitions
        replication = min((len(partition.replicas) for partition in partitions.values()), default=0)
        differing = differences(spec, len(partitions), replication, config)
        state = StepState.DIFFERENT if differing else StepState.EXISTS
        on_result(spec.name, state, "; ".join(differing))
    return good
