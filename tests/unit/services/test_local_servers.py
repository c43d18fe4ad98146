"""What the local servers are told: command lines, configuration, and data that are refused."""

import asyncio
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from pipeline.home import Home
from pipeline.services import jvm, kafka, registry, zookeeper
from pipeline.services.service import Service


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def java(tmp_path: Path) -> jvm.JavaRuntime:
    return jvm.JavaRuntime(Path("/opt/java"), tmp_path / "archives")


@pytest.fixture
def jars(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.jar", tmp_path / "b.jar"]
    for path in paths:
        path.write_bytes(b"")
    return paths


def configuration(service: Service) -> dict[str, str]:
    """Read the properties file that the last argument names."""
    lines = Path(service.command[-1]).read_text("ascii").splitlines()
    return dict(line.split("=", 1) for line in lines)


def brokers(home: Home, java: jvm.JavaRuntime, jars: list[Path], count: int = 3) -> list[Service]:
    return kafka.kafka_services(home, java, jars, [9092 + broker for broker in range(count)], 2181)


def test_zookeeper(home: Home, java: jvm.JavaRuntime, jars: list[Path]) -> None:
    service = zookeeper.zookeeper_service(home, java, jars, 2182)
    settings = configuration(service)
    assert settings["clientPortAddress"] == "127.0.0.1"
    assert settings["clientPort"] == "2182"
    assert settings["dataDir"] == str(home.data / "zookeeper")
    assert f"{jars[0]}:{jars[1]}" in service.command
    assert service.address == "127.0.0.1:2182"


def test_brokers_listen_on_loopback_and_know_each_other(home: Home, java: jvm.JavaRuntime, jars: list[Path]) -> None:
    services = brokers(home, java, jars)
    assert [service.name for service in services] == ["kafka-0", "kafka-1", "kafka-2"]
    for broker, service in enumerate(services):
        settings = configuration(service)
        assert settings["broker.id"] == str(broker)
        assert settings["listeners"] == settings["advertised.listeners"] == f"PLAINTEXT://127.0.0.1:{9092 + broker}"
        assert settings["zookeeper.connect"] == "127.0.0.1:2181"
        assert settings["log.dirs"] == str(home.data / service.name)
        assert service.depends_on == ("zookeeper",)
    stops = [service.stop_rank for service in services]
    assert min(stops) > zookeeper.zookeeper_service(home, java, jars, 2181).stop_rank


@pytest.mark.parametrize(("count", "replicas", "in_sync"), [(1, "1", "1"), (3, "3", "2")])
def test_internal_topics_fit_the_number_of_brokers(count: int, replicas: str, in_sync: str) -> None:
    settings = kafka.broker_properties(Path("/d"), 0, 9092, count, 2181)
    assert settings["offsets.topic.replication.factor"] == replicas
    assert settings["transaction.state.log.replication.factor"] == replicas
    assert settings["transaction.state.log.min.isr"] == in_sync
    assert settings["min.insync.replicas"] == in_sync


def test_records_of_years_ago_are_kept() -> None:
    settings = kafka.broker_properties(Path("/d"), 0, 9092, 3, 2181)
    assert settings["log.retention.ms"] == "-1"
    assert int(settings["log.message.timestamp.before.max.ms"]) == 2**63 - 1


@pytest.mark.parametrize(("before", "after"), [(3, 1), (1, 3)])
def test_another_number_of_brokers_is_refused(
    home: Home, java: jvm.JavaRuntime, jars: list[Path], before: int, after: int
) -> None:
    brokers(home, java, jars, before)
    brokers(home, java, jars, before)
    with pytest.raises(kafka.BrokerDataError, match=rf"data of {before} Kafka broker\(s\), and {after} .*--home"):
        brokers(home, java, jars, after)


def test_brokers_data_without_zookeepers_are_refused(home: Home, java: jvm.JavaRuntime, jars: list[Path]) -> None:
    (home.data / "kafka-1").mkdir()
    (home.data / "kafka-1" / "meta.properties").write_text("broker.id=1\n")
    with pytest.raises(kafka.BrokerDataError, match=r"zookeeper is empty.*remove kafka-1"):
        brokers(home, java, jars)
    (home.data / "zookeeper" / "version-2").mkdir(parents=True)
    assert len(brokers(home, java, jars)) == 3


def test_the_registry(home: Home, java: jvm.JavaRuntime, tmp_path: Path) -> None:
    (tmp_path / "quarkus-run.jar").write_bytes(b"")
    service = registry.registry_service(home, java, tmp_path, 8082)
    assert service.command[-2:] == ("-jar", str(tmp_path / "quarkus-run.jar"))
    text = (home.run / "schema-registry" / "application.properties").read_text("ascii")
    assert f"-Dquarkus.config.locations=file://{home.run}/schema-registry/application.properties" in service.command
    assert f"apicurio.datasource.url=jdbc:h2:file:{home.data}/registry/registry;WRITE_DELAY=0\n" in text
    assert "apicurio.rules.global.compatibility=BACKWARD\n" in text
    assert "quarkus.http.host=127.0.0.1\nquarkus.http.port=8082\nquarkus.management.host=127.0.0.1\n" in text
    assert registry.registry_url(8082) == "http://127.0.0.1:8082/apis/ccompat/v7"


async def zookeeper_says(answer: bytes) -> str | None:
    """Ask the probe of a server that answers every word with this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(4) == b"mntr"
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        return await zookeeper.ready(server.sockets[0].getsockname()[1])()


def figures(ephemerals: int, connections: int) -> bytes:
    return b"zk_version\t3.8.4-x\nzk_num_alive_connections\t%d\nzk_ephemerals_count\t%d\n" % (connections, ephemerals)


async def test_zookeeper_is_ready_when_it_serves() -> None:
    assert await zookeeper_says(figures(ephemerals=0, connections=1)) is None


async def test_zookeeper_lets_nobody_in_before_old_sessions_have_ended() -> None:
    reason = await zookeeper_says(figures(ephemerals=4, connections=1))
    assert reason == "waiting for sessions of an earlier run to end (4 nodes)"


async def test_zookeeper_is_ready_again_when_living_brokers_came_back() -> None:
    assert await zookeeper_says(figures(ephemerals=4, connections=2)) is None


async def test_zookeeper_is_not_ready_before_it_serves() -> None:
    reason = await zookeeper_says(b"This ZooKeeper instance is not currently serving requests\n")
    assert reason is not None
    assert "not currently serving" in reason


async def test_zookeeper_is_not_ready_when_nothing_listens(unused_port: int) -> None:
    reason = await zookeeper.ready(unused_port)()
    assert reason is not None
    assert "onnect" in reason


class Metadata:
    def __init__(self, **brokers: tuple[str, int]) -> None:
        self.brokers = {
            int(name[1:]): type("Broker", (), {"host": host, "port": port})() for name, (host, port) in brokers.items()
        }


class Admin:
    """Stands for confluent_kafka's AdminClient."""

    answers: list[Metadata | KafkaException]
    made = 0

    def __init__(self, *_: object, **__: object) -> None:
        type(self).made += 1

    def list_topics(self, timeout: float) -> Metadata:
        answer = self.answers.pop(0)
        if isinstance(answer, KafkaException):
            raise answer
        return answer


async def test_a_broker_is_ready_once_it_lists_itself_at_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        probe = kafka.BrokerProbe(1, port)
        monkeypatch.setattr(kafka, "AdminClient", Admin)
        Admin.answers = [
            Metadata(b0=("127.0.0.1", port)),
            Metadata(b1=("127.0.0.1", 1)),
            Metadata(b1=("127.0.0.1", port)),
        ]
        assert await probe() == f"127.0.0.1:{port}: not in the cluster yet"
        assert await probe() == f"127.0.0.1:{port}: the cluster has broker 1 at 127.0.0.1:1"
        assert await probe() is None
        assert Admin.made == 1


async def test_a_broker_is_not_ready_when_nothing_listens(unused_port: int) -> None:
    reason = await kafka.BrokerProbe(0, unused_port)()
    assert reason is not None
    assert "onnect" in reason


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    assert isinstance(port, int)
    return port
