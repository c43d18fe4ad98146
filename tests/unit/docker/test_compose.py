"""docker/: the compose file against the specification's schema and our own rules, the Connect image's Dockerfile."""

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from pipeline.settings import Settings
from tests.unit.docker.variables import Variable, assignments, variables

DOCKER = Path(__file__).parents[3] / "docker"
TEXT = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

MEBI = 1024**2
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
each_service = pytest.mark.parametrize("name", SERVICES)


def mebibytes(limit: str) -> int:
    found = re.fullmatch(r"(\d+)m", limit)
    assert found, f"memory limits are written in MiB: {limit!r}"
    return int(found[1])


def test_specification() -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(schema.read_text(encoding="utf-8")))


def test_specification_refuses_what_is_wrong() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    wrong = {"services": {"kafka-1": {**SERVICES["kafka-1"], "memory_limit": "1g"}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_every_variable_is_known() -> None:
    example = assignments((DOCKER / ".env.example").read_text(encoding="utf-8"))
    used = variables(TEXT)
    assert {"CLICKHOUSE_PASSWORD", "CLICKHOUSE_SINK_SHA256"} <= {variable.name for variable in used}
    for variable in used:
        assert variable.name in example or variable.default is not None, variable
        assert variable.required or variable.default is not None, f"{variable.name} would be empty in silence"


def test_variables_are_read_as_compose_does() -> None:
    assert variables("a: $$HOME ${A:-x} ${B:?why} $C ${D}") == [
        Variable("A", "x", required=False),
        Variable("B", None, required=True),
        Variable("C", None, required=False),
        Variable("D", None, required=False),
    ]


def test_no_secret_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|API_KEY", variable):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", str(value)), f"{name}: {variable}"
    example = assignments((DOCKER / ".env.example").read_text(encoding="utf-8"))
    assert example["CLICKHOUSE_PASSWORD"] == ""
    assert not any("PASSWORD" in name for name in assignments((DOCKER / "cluster.env").read_text(encoding="utf-8")))


def test_what_is_mounted_is_there() -> None:
    mounted: set[str] = set()
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            assert target.startswith("/"), f"{name}: {volume}"
            if source.startswith("."):
                assert (DOCKER / source).is_file(), f"{name}: {source}"
                assert mode == ["ro"], f"{name}: {source} is ours and is mounted read-only"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"
                assert source not in mounted, f"{source} is shared"
                mounted.add(source)
    assert mounted == set(COMPOSE["volumes"])


def test_ports_are_on_loopback_and_differ() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in published), published
    outside = {int(port.split(":")[1]) for port in published}
    assert len(outside) == len(published)
    assert {9092, 9093, 9094, 8081, 8088, 8083, 8123} <= outside


def test_memory_fits() -> None:
    """Everything together, the optional services too, is below 8 GB (not only GiB)."""
    limits = {name: mebibytes(service["mem_limit"]) for name, service in SERVICES.items()}
    assert sum(limits.values()) * MEBI < 8e9
    for name, service in SERVICES.items():
        for value in map(str, service.get("environment", {}).values()):
            if heap := re.search(r"-Xmx(\d+)m", value):
                assert int(heap[1]) <= limits[name] * 0.7, f"{name}: no room beside the heap"


@each_service
def test_image_is_exact(name: str) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+(\.\d+)?$", SERVICES[name]["image"]), SERVICES[name]["image"]


@each_service
def test_health_and_order(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)
    needed = service.get("depends_on", {})
    assert isinstance(needed, dict), "a list has no conditions"
    for other, how in needed.items():
        assert how == {"condition": "service_healthy"}, other
        assert "profiles" not in SERVICES[other], f"{other} is optional"


def test_listeners() -> None:
    """A broker is reached by its name from inside, and by the port that it publishes from this machine."""
    for broker in BROKERS:
        port = SERVICES[broker]["ports"][0].split(":")[1]
        advertised = SERVICES[broker]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
        assert advertised == f"INSIDE://{broker}:29092,HOST://127.0.0.1:{port}"
    assert len({SERVICES[broker]["environment"]["KAFKA_BROKER_ID"] for broker in BROKERS}) == 3


def test_ksqldb() -> None:
    environment = SERVICES["ksqldb"]["environment"]
    topic = environment["KSQL_KSQL_SERVICE_ID"] + "ksql_processing_log"
    assert topic == "crypto_ksqldbksql_processing_log"
    assert environment["KSQL_KSQL_LOGGING_PROCESSING_TOPIC_NAME"] == topic
    logging = assignments((DOCKER / "ksqldb" / "log4j.properties").read_text(encoding="utf-8"))
    assert logging["log4j.appender.processing.Topic"] == topic
    assert logging["log4j.appender.processing.BrokerList"] == environment["KSQL_BOOTSTRAP_SERVERS"]
    assert logging["log4j.logger.processing"].split(", ")[1] == "processing"
    for setting in ("HEARTBEAT_ENABLE", "LAG_REPORTING_ENABLE", "LOGGING_PROCESSING_ROWS_INCLUDE"):
        assert environment[f"KSQL_KSQL_{setting}"] == "true"
    assert environment["KSQL_OPTS"] == "-Dksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__=0"


def test_addresses_for_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """cluster.env names ports that are published, and the settings take it."""
    addresses = assignments((DOCKER / "cluster.env").read_text(encoding="utf-8"))
    published = {port.rsplit(":", 1)[0] for service in SERVICES.values() for port in service.get("ports", [])}
    named = {address for value in addresses.values() for address in re.findall(r"[\w.]+:\d+", value)}
    assert len(named) == 7
    assert named <= published
    for name, value in addresses.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load({"profile": "cluster"}, env_file=None)
    assert settings.kafka_bootstrap_servers == addresses["KAFKA_BOOTSTRAP_SERVERS"]
    assert settings.clickhouse_url == addresses["CLICKHOUSE_URL"]


def test_dockerfile_is_linted() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "warning", DOCKER / "connect" / "Dockerfile"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile_trusts_no_download() -> None:
    """The check sum is asked for, never guessed, and verified before anything is unpacked."""
    text = (DOCKER / "connect" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM \S+:\d+\.\d+\.\d+$", text, re.MULTILINE)
    assert re.search(r"^ARG CLICKHOUSE_SINK_SHA256$", text, re.MULTILINE)
    assert not re.search(r"^ADD ", text, re.MULTILINE)
    assert text.index("curl ") < text.index("sha256sum --check") < text.index("confluent-hub install")
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] != "root"
