"""A running ``cryptostreamx-tui --headless``, seen as a script sees it: its lines, its exit code, its processes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from pipeline.home import Home

Line = dict[str, Any]


def leftovers(home: Path) -> list[psutil.Process]:
    """Return every living process that works in a home, however it was orphaned."""
    run_id = Home(home).run_id
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            marked = process.environ().get("CRYPTOSTREAMX_RUN_ID") == run_id or run_id in words  # the guard
            if marked or (str(home) in words and "cryptostreamx_tui" in words):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


class Application:
    """Starts the application in ``home``; as a context it is killed, with all it started, at the end of the test."""

    def __init__(self, home: Path, *flags: str, **environment: str) -> None:
        self.home = home
        self.lines: list[Line] = []
        self._arrived = threading.Condition()
        command = [sys.executable, "-m", "cryptostreamx_tui", "--headless", "--home", str(home), *flags]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
            start_new_session=True,
        )
        self._readers = [threading.Thread(target=self._read, daemon=True)]
        self.errors: list[str] = []
        self._readers.append(threading.Thread(target=self._read_errors, daemon=True))
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for text in self.process.stdout:
            with self._arrived:
                self.lines.append(json.loads(text))
                self._arrived.notify_all()

    def _read_errors(self) -> None:
        assert self.process.stderr
        self.errors.extend(self.process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for process in self.processes():
            process.kill()

    def wait_for(self, wanted: Callable[[Line], Any], seconds: float, *, since: int = 0) -> Line:
        """Return the first line, from number ``since`` on, for which ``wanted`` holds; fail when none comes in time."""
        deadline = time.monotonic() + seconds
        seen = since
        with self._arrived:
            while True:
                for line in self.lines[seen:]:
                    if wanted(line):
                        return line
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self._readers[0].is_alive()):
                    raise AssertionError(f"did not come within {seconds} s; {self.story()}")
                self._arrived.wait(min(left, 0.5))

    def running(self, seconds: float = 120) -> Self:
        """Wait until the whole pipeline runs."""
        self.wait_for(lambda line: line["type"] == "phase" and line["phase"] == "running", seconds)
        return self

    def service(self, name: str) -> Line:
        """Return the newest line about a service."""
        return next(line for line in reversed(self.lines) if line["type"] == "service" and line["name"] == name)

    def stats(self, service: str) -> Line:
        """Return a child's newest statistics."""
        kinds = {"producer", "windows", "sink", "exchange"}
        reports = (line for line in reversed(self.lines) if line["type"] == "report" and line["service"] == service)
        return next(line["event"] for line in reports if line["event"]["event"] in kinds)

    def kill(self, service: str) -> int:
        """``kill -9`` a service by its pid; return the number of lines so far."""
        os.kill(self.service(service)["pid"], signal.SIGKILL)
        return len(self.lines)

    def finish(self, seconds: float) -> Line:
        """Wait for the end; return the summary (the last line)."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s; {self.story()}") from None
        self._readers[0].join(10)
        assert self.lines, f"no line; errors: {''.join(self.errors)}"
        assert self.lines[-1]["type"] == "summary", self.story()
        return self.lines[-1]

    def terminate(self, seconds: float = 60) -> int:
        """SIGTERM; return the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    def processes(self) -> list[psutil.Process]:
        """Return every process that this application started and that is alive."""
        return [process for process in leftovers(self.home) if process.pid != self.process.pid]

    def story(self) -> str:
        """Return what a person would want to read when a test failed."""
        quiet = ("report", "cluster", "trades")
        tail = [line for line in self.lines if line["type"] not in quiet][-25:]
        reports = {
            line["event"]["event"]: line["event"] for line in self.lines if line["type"] == "report" and "event" in line
        }
        parts = [*map(json.dumps, tail), *map(json.dumps, reports.values()), *self.errors[-20:]]
        return "the application said:\n" + "\n".join(parts)
