"""A ClickHouse to test against: the one that CLICKHOUSE_URL names, else the local process in a temporary folder."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.settings import Settings

START_SECONDS = 60


@dataclass
class LocalServer:
    """The process ``python -m pipeline.store.server``, over one folder; ``start`` may be called again after a kill."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    url: str = ""

    @property
    def data(self) -> Path:
        return self.home / "data" / "clickhouse"

    def start(self, port: int = 0) -> dict[str, Any]:
        """Start it and return its first event."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.store.server", "--port", str(port), "--path", str(self.data)],
            env=self.environment,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        events = iter(self.process.stdout.readline, b"")
        event: dict[str, Any] = next(e for line in events if (e := json.loads(line))["event"] in ("ready", "failed"))
        self.url = event.get("detail", "")
        return event

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return code

    @property
    def settings(self) -> Settings:
        return Settings.load({"clickhouse_url": self.url, "home": self.home}, env_file=None)


@contextlib.contextmanager
def local_server(home: Path, **environment: str) -> Iterator[LocalServer]:
    """A server object that is not started yet; whatever runs at the end is killed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    server = LocalServer(home, kept | {"CRYPTOSTREAMX_HOME": str(home)} | environment)
    try:
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.end(signal.SIGKILL)


@contextlib.contextmanager
def some_clickhouse(home: Path) -> Iterator[Settings]:
    """Settings whose ``clickhouse_url`` answers."""
    if os.environ.get("CLICKHOUSE_URL"):
        yield Settings.from_environment()
        return
    with local_server(home) as server:
        assert server.start()["event"] == "ready"
        yield server.settings
