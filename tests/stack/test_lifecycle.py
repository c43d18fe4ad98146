"""What a person may do to the application, and what may happen to it: nothing stays behind, nothing is unclear."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stack.application import Application, Line

SIMULATED = ("--feed", "simulated")
CANARY = "canary-7f3a"
SECRETS = {"CLICKHOUSE_PASSWORD": CANARY, "SCHEMA_REGISTRY_PASSWORD": CANARY, "SCHEMA_REGISTRY_USERNAME": "someone"}
"""Secrets that the local servers do not ask for, but every child is given."""


@pytest.fixture
def app(tmp_path: Path) -> Application:
    return Application(tmp_path, *SIMULATED)


def frames(line: Line) -> int:
    """Frames in a report of the producer, 0 for any other line."""
    if line["type"] != "report" or line["event"]["event"] != "producer":
        return 0
    count = line["event"]["frames"]
    assert isinstance(count, int)
    return count


def test_sigterm_ends_it_in_order_and_leaves_nothing(tmp_path: Path) -> None:
    with Application(tmp_path, *SIMULATED, **SECRETS) as app:
        app.running()
        arguments = " ".join(word for process in app.processes() for word in process.cmdline())
        assert CANARY not in arguments
        assert len(app.processes()) >= 9
        assert app.terminate() == 0
        assert app.processes() == []
        stopped = [line["name"] for line in app.lines if line["type"] == "service" and line["state"] == "stopped"]
        assert stopped.index("producer") < stopped.index("sink") < stopped.index("kafka-0") < stopped.index("zookeeper")
        killed = [line for line in app.lines if line["type"] == "service" and "SIGKILL" in (line["last_error"] or "")]
        assert killed == []
    logs = b"".join(path.read_bytes() for path in (tmp_path / "logs").iterdir())
    assert b"producer" in logs
    assert CANARY.encode() not in logs
    assert CANARY not in json.dumps(app.lines) + "".join(app.errors)


def test_kill_9_leaves_nothing_and_the_next_start_is_clean(app: Application, tmp_path: Path) -> None:
    with app:
        app.running()
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.wait()
        deadline = time.monotonic() + 40
        while app.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert app.processes() == []
    with Application(tmp_path, *SIMULATED) as again:
        again.running()
        again.wait_for(lambda line: line["type"] == "trades", 30)
        assert again.terminate() == 0


def test_a_second_instance_is_told_so(app: Application, tmp_path: Path) -> None:
    with app:
        app.wait_for(lambda line: line["type"] == "phase", 30)
        second = subprocess.run(
            [sys.executable, "-m", "cryptostreamx_tui", "--headless", "--home", str(tmp_path), *SIMULATED],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 2
        assert f"another instance (pid {app.process.pid}) runs in" in second.stderr
        assert app.terminate() == 0


def test_a_killed_producer_streams_again_within_five_seconds(app: Application) -> None:
    with app:
        app.running()
        app.wait_for(lambda line: frames(line) > 100, 30)
        since, begin = app.kill("producer"), time.monotonic()
        app.wait_for(lambda line: line["type"] == "service" and line["state"] == "backing off", 5, since=since)
        app.wait_for(lambda line: frames(line) > 0, 5, since=since + 1)
        assert time.monotonic() - begin < 5
        assert app.terminate() == 0
