"""The Kafka brokers of the local profile: one or three on loopback, in ZooKeeper mode."""

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from pipeline.home import Home
from pipeline.services import jvm, zookeeper
from pipeline.services.ports import HOST
from pipeline.services.probe import tcp
from pipeline.services.service import STOP_KAFKA, Service
from pipeline.services.state import RestartPolicy
from pipeline.text import clean

SESSION_MS = 6000
"""How long ZooKeeper takes a silent broker for alive."""
MESSAGE_BYTES = 2 * 1024 * 1024
"""Largest record batch: a frame of 1 MB in a dead letter, with its headers."""
_HEAP = 256
_FOREVER = str(2**63 - 1)
_LOG4J = """\
log4j.rootLogger=WARN, console
log4j.logger.kafka.server.KafkaServer=INFO
# At INFO it prints every setting, twice.
log4j.logger.kafka.server.KafkaConfig=WARN
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSS}Z %p %c{1} %m%n
"""


class BrokerDataError(RuntimeError):
    """The brokers' data in this home do not fit what is asked for; the message says what to do."""


def broker_name(broker: int) -> str:
    """Return the service's name of a broker, by its id."""
    return f"kafka-{broker}"


def kafka_services(
    home: Home, java: jvm.JavaRuntime, jars: Sequence[Path], ports: Sequence[int], zookeeper_port: int
) -> list[Service]:
    """Return a broker for each port, ids from 0, with their configuration written into ``home.run``.

    Raises:
        BrokerDataError: the data in the home are those of another number of brokers, or ZooKeeper's part is missing.
        JavaError: the home's path cannot stand in it.
        OSError: the configuration cannot be written.
    """
    home = Home(jvm.plain_path(home.path))
    check_data(home, len(ports))
    return [_service(home, java, jars, broker, ports, zookeeper_port) for broker in range(len(ports))]


def check_data(home: Home, brokers: int) -> None:
    """Refuse data that would come up broken: topics whose replicas have no broker, or logs that no topic names.

    Raises:
        BrokerDataError: they do.
    """
    marker = home.data / "brokers"
    if marker.exists():
        held = marker.read_text(encoding="utf-8").strip()
        if held != str(brokers):
            raise BrokerDataError(
                f"{home.path} holds the data of {held} Kafka broker(s), and {brokers} were asked for: their topics "
                f"live on just those. Set KAFKA_BROKERS={held}, or choose another --home"
            )
    else:
        marker.write_text(f"{brokers}\n", encoding="utf-8")
    written = [path for broker in range(brokers) if (path := _data(home, broker) / "meta.properties").exists()]
    if written and not (home.data / zookeeper.NAME / "version-2").exists():
        raise BrokerDataError(
            f"{home.data / zookeeper.NAME} is empty, but {written[0].parent} is not: without ZooKeeper's data nobody "
            f"knows the topics. Put it back, or remove {', '.join(path.parent.name for path in written)} there as well"
        )


def _data(home: Home, broker: int) -> Path:
    return home.data / broker_name(broker)


def _service(
    home: Home, java: jvm.JavaRuntime, jars: Sequence[Path], broker: int, ports: Sequence[int], zookeeper_port: int
) -> Service:
    name = broker_name(broker)
    port = ports[broker]
    run = jvm.fresh_folder(home.run / name)
    log4j = run / "log4j.properties"
    log4j.write_text(_LOG4J, encoding="ascii")
    configuration = run / "server.properties"
    configuration.write_text(
        jvm.properties_text(broker_properties(_data(home, broker), broker, port, len(ports), zookeeper_port)),
        encoding="ascii",
    )
    return Service(
        name=name,
        command=java.command(
            ("-cp", os.pathsep.join(map(str, jars)), "kafka.Kafka", str(configuration)),
            kind="kafka",
            jars=jars,
            heap=_HEAP,
            properties={"log4j.configuration": log4j.as_uri()},
            scratch=run,
            record=broker == 0,
        ),
        log_path=home.logs / f"{name}.log",
        environment=jvm.environment(),
        depends_on=(zookeeper.NAME,),
        probe=BrokerProbe(broker, port),
        # A broker that finds its own node of before in ZooKeeper gives up; the node goes a second after the session.
        restart=RestartPolicy(first=SESSION_MS / 1000 + 0.5, factor=1.2, jitter=0.05),
        start_timeout=jvm.START_TIMEOUT,
        stop_timeout=jvm.STOP_TIMEOUT,
        address=f"{HOST}:{port}",
        stop_rank=STOP_KAFKA,
    )


def broker_properties(data: Path, broker: int, port: int, brokers: int, zookeeper_port: int) -> dict[str, str]:
    """Return a broker's ``server.properties`` (https://kafka.apache.org/39/documentation.html#brokerconfigs)."""
    replicas = str(brokers)
    in_sync = str(min(2, brokers))
    return {
        "broker.id": str(broker),
        "listeners": f"PLAINTEXT://{HOST}:{port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "zookeeper.connect": f"{HOST}:{zookeeper_port}",
        "zookeeper.session.timeout.ms": str(SESSION_MS),
        "log.dirs": str(data),
        # Topics are made on purpose, with what they need.
        "auto.create.topics.enable": "false",
        "delete.topic.enable": "true",
        "num.partitions": "1",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "unclean.leader.election.enable": "false",
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "10",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "10",
        # A recording's records carry times of years ago: by default such logs are deleted within minutes.
        "log.retention.ms": "-1",
        "log.retention.bytes": "-1",
        "log.message.timestamp.type": "CreateTime",
        "log.message.timestamp.before.max.ms": _FOREVER,
        "log.message.timestamp.after.max.ms": _FOREVER,
        # A home may rest for months: its consumers go on where they stopped.
        "offsets.retention.minutes": str(2**31 - 1),
        "log.segment.bytes": str(64 * 1024 * 1024),
        "log.index.size.max.bytes": str(1024 * 1024),
        "log.preallocate": "false",
        "message.max.bytes": str(MESSAGE_BYTES),
        "replica.fetch.max.bytes": str(MESSAGE_BYTES),
        # Small: few clients, two cores. The cleaner's default buffer alone is 128 MiB of heap.
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "4",
        "num.recovery.threads.per.data.dir": "2",
        "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
        "group.initial.rebalance.delay.ms": "0",
        # All brokers stop together: the last ones have nobody to hand their partitions to, and must not wait for it.
        "controlled.shutdown.enable": "true",
        "controlled.shutdown.max.retries": "1",
        "controlled.shutdown.retry.backoff.ms": "200",
        "leader.imbalance.check.interval.seconds": "30",
    }


class BrokerProbe:
    """Ready when the broker itself serves metadata that list it: it has joined the cluster and answers clients."""

    def __init__(self, broker: int, port: int) -> None:
        self._broker = broker
        self._address = f"{HOST}:{port}"
        self._listening = tcp(HOST, port)
        self._client: AdminClient | None = None

    async def __call__(self) -> str | None:
        """Return None when ready, else why not yet."""
        if (reason := await self._listening()) is not None:
            return reason
        reason = await asyncio.to_thread(self._ask)
        if reason is None:
            self._client = None  # closes its connections and ends its threads
        return reason

    def _ask(self) -> str | None:
        if self._client is None:
            self._client = AdminClient(
                {"bootstrap.servers": self._address, "reconnect.backoff.max.ms": 200, "log_level": 0},
                logger=_silent,
            )
        try:
            brokers = self._client.list_topics(timeout=2.0).brokers
        except KafkaException as error:
            return clean(f"{self._address}: {error.args[0].str()}")
        found = brokers.get(self._broker)
        if found is None:
            return f"{self._address}: not in the cluster yet"
        if (there := f"{found.host}:{found.port}") != self._address:
            return clean(f"{self._address}: the cluster has broker {self._broker} at {there}")
        return None


_silent = logging.getLogger(f"{__name__}.probe")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
