"""The real ZooKeeper, brokers and schema registry under the real supervisor, as the stack runs them."""

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from pipeline.events import ServiceChanged, StackEvent
from pipeline.home import Home
from pipeline.model import ServiceState
from pipeline.services import jars, jvm, kafka, registry, zookeeper
from pipeline.services.leftovers import find_leftovers
from pipeline.services.ports import free_ports
from pipeline.services.service import Service
from pipeline.services.supervisor import Supervisor
from pipeline.settings import Settings

TOPIC = "old-records"
LONG_AGO = 1_400_000_000_000
QUIET: dict[str, Any] = {"log_level": 0}  # the client library says on stderr that a server was stopped


class Servers:
    """One instance's servers after another in the same home, on the same ports."""

    def __init__(self, home: Home, brokers: int = 3) -> None:
        self.home = home
        self.run_id = f"test-{uuid.uuid4().hex}"
        self.names = [zookeeper.NAME, *(kafka.broker_name(broker) for broker in range(brokers)), registry.NAME]
        self.ports = free_ports(dict.fromkeys(self.names, 0) | {name: 20_000 + n for n, name in enumerate(self.names)})
        self.brokers = [self.ports[name] for name in self.names[1:-1]]
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in self.brokers)
        self.http = httpx.Client(base_url=registry.registry_url(self.ports[registry.NAME]), trust_env=False, timeout=10)

    def services(self) -> list[Service]:
        cache = Settings.load({}, None).cache
        classpath = jars.kafka_jars(cache, lambda _: None)
        folder = jars.registry_archive(cache, lambda _: None)
        java = jvm.prepare(cache)
        port = self.ports[zookeeper.NAME]
        return [
            zookeeper.zookeeper_service(self.home, java, classpath, port),
            *kafka.kafka_services(self.home, java, classpath, self.brokers, port),
            registry.registry_service(self.home, java, folder, self.ports[registry.NAME]),
        ]

    async def start(self, occasion: str, emit: Callable[[StackEvent], None] = lambda _: None) -> Supervisor:
        begin = time.monotonic()
        supervisor = Supervisor(emit, self.run_id)
        for service in self.services():
            supervisor.add(service)
        await supervisor.start()
        taken: dict[str, str] = {}

        async def wait(name: str) -> None:
            await supervisor.wait_ready(name)
            taken[name] = f"{time.monotonic() - begin:.1f}"

        async with asyncio.timeout(120):
            await asyncio.gather(*map(wait, self.names))
        print(f"\n{occasion}: seconds to ready {taken}, MiB {self.memory(supervisor)}")  # noqa: T201 - measured
        return supervisor

    def pids(self, supervisor: Supervisor) -> dict[str, int]:
        views = [supervisor.view(name) for name in self.names]
        return {view.name: view.pid for view in views if view.pid is not None}

    def memory(self, supervisor: Supervisor) -> dict[str, int]:
        return {name: psutil.Process(pid).memory_info().rss >> 20 for name, pid in self.pids(supervisor).items()}

    def produce(self, first: int, count: int) -> None:
        failed: list[KafkaError] = []
        producer = Producer({**QUIET, "bootstrap.servers": self.bootstrap, "acks": "all", "compression.type": "lz4"})
        for number in range(first, first + count):
            producer.produce(
                TOPIC,
                str(number).encode(),
                timestamp=LONG_AGO + number,
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
        assert producer.flush(30) == 0
        assert failed == []

    def consume(self, count: int) -> list[Message]:
        consumer = Consumer(
            {**QUIET, "bootstrap.servers": self.bootstrap, "group.id": "test", "enable.auto.commit": False}
        )
        try:
            consumer.assign([TopicPartition(TOPIC, 0, 0)])
            messages: list[Message] = []
            end = time.monotonic() + 30
            while len(messages) < count and time.monotonic() < end:
                messages += consumer.consume(count - len(messages), timeout=1)
            assert [message.error() for message in messages] == [None] * count
            return messages
        finally:
            consumer.close()

    def numbers(self, count: int) -> list[int]:
        return [int(message.value() or b"") for message in self.consume(count)]

    def register(self, *fields: dict[str, Any]) -> httpx.Response:
        schema = json.dumps({"type": "record", "name": "T", "fields": fields})
        return self.http.post("/subjects/t-value/versions", json={"schema": schema})


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    home = Home(tmp_path / "hömé of servers")
    home.create()
    servers = Servers(home)
    yield servers
    servers.http.close()
    left = find_leftovers(servers.run_id)
    for leftover in left:
        leftover.process.kill()
    assert left == []


def only_on_loopback(pid: int) -> bool:
    listening = [c for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    return bool(listening) and all(c.laddr.ip in ("127.0.0.1", "::ffff:127.0.0.1", "::1") for c in listening)


async def test_data_survive_a_stop_and_a_kill_of_everything(servers: Servers) -> None:
    text, number = {"name": "a", "type": "string"}, {"name": "a", "type": "long"}
    supervisor = await servers.start("first start")
    try:
        assert all(only_on_loopback(pid) for pid in servers.pids(supervisor).values())
        admin = AdminClient({**QUIET, "bootstrap.servers": servers.bootstrap})
        for future in admin.create_topics([NewTopic(TOPIC, 1, 3)]).values():
            future.result(30)
        servers.produce(0, 100)
        assert servers.consume(100)[7].timestamp()[1] == LONG_AGO + 7
        assert servers.http.get("/config").json()["compatibilityLevel"] == "BACKWARD"
        first = servers.register(text).json()["id"]
        assert servers.register(number).status_code == 409
    finally:
        await supervisor.stop_all()

    supervisor = await servers.start("start after an orderly stop")
    try:
        assert servers.numbers(100) == list(range(100))
        assert servers.register(text).json()["id"] == first
        assert servers.register(number).status_code == 409
        servers.produce(100, 50)
        last = servers.register(text, {"name": "b", "type": "long", "default": 0}).json()["id"]
        for pid in servers.pids(supervisor).values():
            os.kill(pid, signal.SIGKILL)
    finally:
        await supervisor.stop_all()

    supervisor = await servers.start("start after kill -9 of everything")
    try:
        assert [supervisor.view(name).restarts for name in servers.names] == [0] * 5
        assert servers.numbers(150) == list(range(150))
        assert json.loads(servers.http.get(f"/schemas/ids/{last}").json()["schema"])["fields"][1]["name"] == "b"
        assert servers.register(text).json()["id"] == first
    finally:
        await supervisor.stop_all()


async def test_a_killed_broker_comes_back(servers: Servers) -> None:
    back = asyncio.Event()

    def emit(event: StackEvent) -> None:
        if isinstance(event, ServiceChanged) and event.restarts and event.state is ServiceState.READY:
            back.set()

    supervisor = await servers.start("start", emit)
    try:
        admin = AdminClient({**QUIET, "bootstrap.servers": servers.bootstrap})
        for future in admin.create_topics([NewTopic(TOPIC, 1, 3)]).values():
            future.result(30)
        servers.produce(0, 10)
        os.kill(servers.pids(supervisor)["kafka-0"], signal.SIGKILL)
        begin = time.monotonic()
        await asyncio.to_thread(servers.produce, 10, 10)
        async with asyncio.timeout(60):
            await back.wait()
        print(f"\na killed broker is ready again after {time.monotonic() - begin:.1f} s")  # noqa: T201 - measured
        assert supervisor.view("kafka-0").restarts == 1
        assert servers.numbers(20) == list(range(20))
    finally:
        await supervisor.stop_all()


async def test_one_broker_is_enough(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    servers = Servers(home, brokers=1)
    supervisor = await servers.start("one broker")
    try:
        admin = AdminClient({**QUIET, "bootstrap.servers": servers.bootstrap})
        for future in admin.create_topics([NewTopic(TOPIC, 1, 1)]).values():
            future.result(30)
        servers.produce(0, 10)
        consumer = Consumer({**QUIET, "bootstrap.servers": servers.bootstrap, "group.id": "g"})
        consumer.commit(offsets=[TopicPartition(TOPIC, 0, 5)], asynchronous=False)
        assert consumer.committed([TopicPartition(TOPIC, 0)], timeout=10)[0].offset == 5
        consumer.close()
    finally:
        await supervisor.stop_all()
        servers.http.close()
    assert find_leftovers(servers.run_id) == []
