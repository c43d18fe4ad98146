"""The schema registry of the local profile: Apicurio Registry, spoken to through Confluent's interface."""

from pathlib import Path

from pipeline.home import Home
from pipeline.services import jvm, probe
from pipeline.services.ports import HOST
from pipeline.services.service import STOP_REGISTRY, Service

NAME = "schema-registry"
COMPATIBILITY = "BACKWARD"
_HEAP = 192
_CONFLUENT = "/apis/ccompat/v7"


def registry_url(port: int) -> str:
    """Return the base of Confluent's REST interface of the local registry."""
    return f"http://{HOST}:{port}{_CONFLUENT}"


def registry_service(home: Home, java: jvm.JavaRuntime, folder: Path, port: int) -> Service:
    """Return the registry of the unpacked ``folder``, with its configuration written into ``home.run``.

    Raises:
        JavaError: the home's path cannot stand in it.
        OSError: the configuration cannot be written.
    """
    home = Home(jvm.plain_path(home.path))
    run = jvm.fresh_folder(home.run / NAME)
    data = home.data / "registry"
    data.mkdir(mode=0o700, exist_ok=True)
    configuration = run / "application.properties"
    configuration.write_text(jvm.properties_text(registry_properties(data, run, port)), encoding="ascii")
    jar = folder / "quarkus-run.jar"
    return Service(
        name=NAME,
        command=java.command(
            ("-jar", str(jar)),
            kind=NAME,
            jars=(jar,),
            heap=_HEAP,
            properties={"quarkus.config.locations": configuration.as_uri()},
            scratch=run,
            record=True,
        ),
        log_path=home.logs / f"{NAME}.log",
        environment=jvm.environment(),
        probe=probe.http(f"{registry_url(port)}/subjects"),
        address=f"{HOST}:{port}",
        start_timeout=jvm.START_TIMEOUT,
        stop_timeout=jvm.STOP_TIMEOUT,
        stop_rank=STOP_REGISTRY,
    )


def registry_properties(data: Path, scratch: Path, port: int) -> dict[str, str]:
    """Return what differs from the defaults (``application.properties`` in Apicurio's own jar)."""
    return {
        "config_ordinal": "500",  # above environment variables: a QUARKUS_… of somebody else's must not move it
        "quarkus.http.host": HOST,
        "quarkus.http.port": str(port),
        "quarkus.management.host": HOST,
        "quarkus.management.port": "0",  # cannot be switched off at run time
        "quarkus.banner.enabled": "false",
        "quarkus.log.level": "WARN",
        'quarkus.log.category."io.apicurio".level': "WARN",
        'quarkus.log.category."io.quarkus.http.access-log".level': "OFF",
        'quarkus.log.category."io.quarkus".level': "INFO",  # three lines: started, where, with what
        'quarkus.log.category."io.quarkus.config".level': "ERROR",
        "quarkus.log.console.format": "%d{yyyy-MM-dd'T'HH:mm:ss.SSS}Z %p %c{1} %s%e%n",
        # Without WRITE_DELAY=0 a schema id that was given out half a second before a kill -9 may be gone after it.
        "apicurio.datasource.url": f"jdbc:h2:file:{data / 'registry'};WRITE_DELAY=0",
        "apicurio.datasource.jdbc.initial-size": "1",
        "apicurio.datasource.jdbc.min-size": "1",
        "apicurio.datasource.jdbc.max-size": "10",
        "apicurio.rules.global.compatibility": COMPATIBILITY,
        "apicurio.storage.snapshot.location": str(scratch),
        "apicurio.import.work-dir": str(scratch),
    }
