import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.settings import Settings

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the process against a port that takes connections and never answers: it waits inside the library."""
    started: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = Settings.load(
            {"home": tmp_path, "kafka_bootstrap_servers": address, "schema_registry_url": "http://127.0.0.1:1"}, None
        )

        def launch() -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.windows"],
                env={**os.environ, **settings.environment()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            started.append(process)
            log = tmp_path / "logs" / "windows.log"
            deadline = time.monotonic() + 60
            while not (log.exists() and "starting" in log.read_text(encoding="utf-8")):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            return process

        yield launch
        for process in started:
            process.kill()
            process.communicate()


def test_sigterm_ends_it_with_0_also_while_it_waits_for_the_brokers(start: Start) -> None:
    process = start()
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert time.monotonic() - asked < 5


def test_the_end_of_standard_input_ends_it_with_0(start: Start) -> None:
    process = start()
    assert process.stdin
    asked = time.monotonic()
    process.stdin.close()
    process.stdin = None
    assert process.wait(20) == 0
    assert time.monotonic() - asked < 5
