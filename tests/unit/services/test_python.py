import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.home import Home
from pipeline.services.python import python_service
from pipeline.services.service import (
    STOP_CLICKHOUSE,
    STOP_EXCHANGE,
    STOP_KAFKA,
    STOP_PRODUCER,
    STOP_REGISTRY,
    STOP_SINK,
    STOP_WINDOWS,
    STOP_ZOOKEEPER,
    base_environment,
)


def test_whoever_writes_stops_before_what_it_writes_to() -> None:
    assert STOP_PRODUCER > STOP_WINDOWS >= STOP_SINK > STOP_EXCHANGE
    assert STOP_EXCHANGE > STOP_CLICKHOUSE >= STOP_REGISTRY > STOP_KAFKA > STOP_ZOOKEEPER


def test_a_python_service(tmp_path: Path) -> None:
    service = python_service(
        "pipeline.sink", "sink", Home(tmp_path), {"KAFKA_SASL_PASSWORD": "canary"}, args=("--x",), watchdog=30.0
    )
    assert service.command[0] == sys.executable
    assert service.command[-3:] == ("-m", "pipeline.sink", "--x")
    assert (service.log_path, service.stop_rank) == (tmp_path / "logs" / "sink.log", STOP_SINK)
    assert (service.speaks_protocol, service.watchdog) == (True, 30.0)
    assert service.environment["KAFKA_SASL_PASSWORD"] == "canary"
    assert "canary" not in repr(service)
    assert python_service("m", "other", Home(tmp_path), {}, stop_rank=7).stop_rank == 7


def test_it_finds_our_modules_and_not_those_of_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('the wrong module')")
    service = python_service("pipeline.events", "x", Home(tmp_path), {})
    environment = {**base_environment(), **service.environment}
    done = subprocess.run(service.command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_base_environment_hands_down_only_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TZ", "LC_TIME", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "yes")
    for name in ("AWS_SECRET_ACCESS_KEY", "KAFKA_SASL_PASSWORD", "PYTHONPATH", "JAVA_TOOL_OPTIONS"):
        monkeypatch.setenv(name, "no")
    environment = base_environment()
    assert environment["PATH"]
    assert {"TZ", "LC_TIME", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE"} <= environment.keys()
    assert "no" not in environment.values()
