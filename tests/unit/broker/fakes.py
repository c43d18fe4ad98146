"""The client library's metadata and admin client, as far as they are used."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException


@dataclass
class Broker:
    id: int
    host: str = "127.0.0.1"
    port: int = 9092


@dataclass
class Partition:
    leader: int
    replicas: list[int]
    isrs: list[int]


@dataclass
class Topic:
    partitions: dict[int, Partition]


@dataclass
class Metadata:
    brokers: dict[int, Broker] = field(default_factory=dict)
    controller_id: int = 0
    topics: dict[str, Topic] = field(default_factory=dict)


@dataclass
class Entry:
    value: str | None


class Admin:
    """Topics in memory; ``refuse`` has the error for a topic's creation."""

    def __init__(self) -> None:
        self.metadata = Metadata({number: Broker(number) for number in range(3)})
        self.configs: dict[str, dict[str, str | None]] = {}
        self.refuse: dict[str, KafkaError] = {}
        self.down: KafkaError | None = None
        self.leaderless_for = 0

    def list_topics(self, timeout: float) -> Metadata:
        assert timeout > 0
        if self.down is not None:
            raise KafkaException(self.down)
        if self.leaderless_for > 0:
            self.leaderless_for -= 1
            for topic in self.metadata.topics.values():
                for partition in topic.partitions.values():
                    partition.leader = 0 if self.leaderless_for == 0 else -1
        return self.metadata

    def create_topics(self, new: list[Any], **timeouts: float) -> dict[str, Future[None]]:
        assert all(seconds > 0 for seconds in timeouts.values())
        futures = {}
        for topic in new:
            future: Future[None] = Future()
            futures[topic.topic] = future
            if topic.topic in self.refuse:
                future.set_exception(KafkaException(self.refuse[topic.topic]))
                continue
            self.add(topic.topic, topic.num_partitions, topic.replication_factor, topic.config)
            future.set_result(None)
        return futures

    def add(self, name: str, partitions: int, replication: int, config: dict[str, str | None]) -> None:
        leader = -1 if self.leaderless_for else 0
        replicas = list(range(replication))
        self.metadata.topics[name] = Topic({n: Partition(leader, replicas, replicas) for n in range(partitions)})
        self.configs[name] = dict(config)

    def describe_configs(self, resources: list[Any], request_timeout: float) -> dict[Any, Future[dict[str, Entry]]]:
        assert request_timeout > 0
        futures = {}
        for resource in resources:
            future: Future[dict[str, Entry]] = Future()
            future.set_result({name: Entry(value) for name, value in self.configs[resource.name].items()})
            futures[resource] = future
        return futures
