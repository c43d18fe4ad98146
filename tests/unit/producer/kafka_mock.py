"""librdkafka's mock cluster: real Kafka protocol on loopback, no JVM."""

from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from pipeline.model import PRODUCER_DLQ, TRADE_TOPIC

TOPICS = (TRADE_TOPIC, PRODUCER_DLQ)


class MockCluster:
    """Three brokers that live as long as this object."""

    def __init__(self, brokers: int = 3) -> None:
        self._owner = Producer({"test.mock.num.brokers": brokers, "bootstrap.servers": "mock"})
        metadata = self._owner.list_topics(timeout=10)
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in metadata.brokers.values())
        for topic in TOPICS:  # asking for a topic creates it
            self._owner.list_topics(topic, timeout=10)

    def read(self, topic: str, count: int, seconds: float = 10) -> list[Message]:
        """Return the topic's first records, at least ``count`` of them."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "test", "fetch.wait.max.ms": 50})
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found: list[Any] = []
        idle = 0
        while idle < 2 if len(found) >= count else idle < seconds * 10:
            message = consumer.poll(0.1)
            if message is None:
                idle += 1
            elif message.error() is None:
                idle = 0
                found.append(message)
        consumer.close()
        return found
