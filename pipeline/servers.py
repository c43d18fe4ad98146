"""The servers a run needs - Kafka, schema registry, ClickHouse: started on this machine, or there already.

Both kinds answer the same questions (``Servers``), so that nothing that uses them asks which they are.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from pipeline import startup
from pipeline.home import Home
from pipeline.services import jars, kafka, registry, zookeeper
from pipeline.services.jvm import JavaError, JavaRuntime
from pipeline.services.ports import HOST, free_ports
from pipeline.services.python import python_service
from pipeline.services.service import Service
from pipeline.settings import Settings
from pipeline.startup import Lines

CLICKHOUSE = "clickhouse"
USUAL_PORTS = {zookeeper.NAME: 2181, registry.NAME: 8081, CLICKHOUSE: 8123}
"""Where people's tools look; another free port is taken where one is in use."""
USUAL_KAFKA_PORT = 9092
"""Of the first broker; the others follow."""

Result = TypeVar("Result")


class Step(Protocol):
    """Runs a blocking start-up step, again and again until it succeeds; a person asks for each further try."""

    async def __call__(self, group: str, step: Callable[[Lines], Result], /) -> Result:
        """Return the step's result."""


class Servers(Protocol):
    """What a run asks of its servers."""

    expected_brokers: int
    """0 where it is not known beforehand."""

    def addresses(self) -> dict[str, str]:
        """Return the settings that say where the servers are, as far as they are not in the settings already."""

    async def prepare(self, step: Step) -> None:
        """Do what comes before everything else."""

    async def kafka(self, step: Step) -> list[Service]:
        """Return the services to start for Kafka, after preparing them by ``step``."""

    async def registry(self, step: Step) -> list[Service]:
        """Return the services to start for the schema registry, after preparing them by ``step``."""

    def store(self, settings: Settings) -> list[Service]:
        """Return the services to start for ClickHouse. ``settings`` are those the children get."""


class OwnServers:
    """Servers of the user's own: nothing is started."""

    expected_brokers = 0

    def addresses(self) -> dict[str, str]:
        """Nothing to add: the settings name them."""
        return {}

    async def prepare(self, step: Step) -> None:
        """Nothing to prepare."""

    async def kafka(self, step: Step) -> list[Service]:  # noqa: ARG002 - as in Servers
        """Nothing to start."""
        return []

    async def registry(self, step: Step) -> list[Service]:  # noqa: ARG002 - as in Servers
        """Nothing to start."""
        return []

    def store(self, settings: Settings) -> list[Service]:  # noqa: ARG002 - as in Servers
        """Nothing to start."""
        return []


class LocalServers:
    """ZooKeeper, Kafka brokers, Apicurio Registry and the ClickHouse engine, on loopback, with data in the home."""

    def __init__(self, settings: Settings, home: Home) -> None:
        """Choose the ports.

        Raises:
            OSError: no free port was found.
        """
        self._settings = settings
        self._home = home
        self.expected_brokers = settings.kafka_brokers
        self._brokers = [kafka.broker_name(number) for number in range(settings.kafka_brokers)]
        usual = USUAL_PORTS | {name: USUAL_KAFKA_PORT + number for number, name in enumerate(self._brokers)}
        self._ports = free_ports(usual)
        self._java: JavaRuntime | None = None

    def addresses(self) -> dict[str, str]:
        """Return the addresses on loopback."""
        return {
            "kafka_bootstrap_servers": ",".join(f"{HOST}:{self._ports[name]}" for name in self._brokers),
            "schema_registry_url": registry.registry_url(self._ports[registry.NAME]),
            "clickhouse_url": f"http://{HOST}:{self._ports[CLICKHOUSE]}",
        }

    async def prepare(self, step: Step) -> None:
        """Make the Java runtime ready."""
        self._java = await step("downloads", partial(startup.java_runtime, self._settings))

    async def kafka(self, step: Step) -> list[Service]:
        """Download ZooKeeper and the broker; return ZooKeeper and the brokers."""
        fetch = partial(startup.download, "Kafka and ZooKeeper", jars.kafka_jars, self._settings)
        return await step("services", partial(self._kafka_services, await step("downloads", fetch)))

    async def registry(self, step: Step) -> list[Service]:
        """Download the registry; return it."""
        fetch = partial(startup.download, "Schema registry", jars.registry_archive, self._settings)
        folder = await step("downloads", fetch)
        return await step("services", partial(self._registry_services, folder))

    def _kafka_services(self, classpath: list[Path], lines: Lines) -> list[Service]:
        port = self._ports[zookeeper.NAME]
        ports = [self._ports[name] for name in self._brokers]
        try:
            return [
                zookeeper.zookeeper_service(self._home, self._runtime, classpath, port),
                *kafka.kafka_services(self._home, self._runtime, classpath, ports, port),
            ]
        except (kafka.BrokerDataError, JavaError, OSError) as error:
            raise lines.failure("Kafka", str(error)) from error

    def _registry_services(self, folder: Path, lines: Lines) -> list[Service]:
        try:
            return [registry.registry_service(self._home, self._runtime, folder, self._ports[registry.NAME])]
        except (JavaError, OSError) as error:
            raise lines.failure("Schema registry", str(error)) from error

    @property
    def _runtime(self) -> JavaRuntime:
        assert self._java is not None, "prepare comes first"
        return self._java

    def store(self, settings: Settings) -> list[Service]:
        """Return the ClickHouse process."""
        port = self._ports[CLICKHOUSE]
        return [
            python_service(
                "pipeline.store.server",
                CLICKHOUSE,
                self._home,
                settings.environment(),
                args=("--port", str(port), "--path", str(self._home.data / CLICKHOUSE)),
                address=f"{HOST}:{port}",
            )
        ]
