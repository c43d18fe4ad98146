import asyncio
import random
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from pipeline.events import ChildReport, LogLine, ServiceChanged, StackEvent
from pipeline.model import ServiceState
from pipeline.services.leftovers import find_leftovers
from pipeline.services.service import Service
from pipeline.services.state import RestartPolicy
from pipeline.services.supervisor import Supervisor

CHILD = Path(__file__).with_name("fakes") / "child.py"
QUICK = RestartPolicy(first=0.01, factor=2, longest=0.05, jitter=0.2, stable_after=5, limit=3, within=60)

E = TypeVar("E")


class Bench:
    """A supervisor under test, with everything it emitted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_id = f"test-{uuid.uuid4().hex}"
        self.events: list[StackEvent] = []
        self.supervisor = Supervisor(self._emit, self.run_id, rng=random.Random(1))
        self._emitted = asyncio.Event()

    def _emit(self, event: StackEvent) -> None:
        self.events.append(event)
        self._emitted.set()

    def add(self, name: str, *actions: str, **fields: Any) -> Service:
        """Add a service that runs the fake child."""
        fields = {"speaks_protocol": True, "restart": QUICK, "stop_timeout": 3.0, **fields}
        command = (sys.executable, "-I", "-S", str(CHILD), *actions)
        service = Service(name, command, self.folder / f"{name}.log", **fields)
        self.supervisor.add(service)
        return service

    async def until(self, found: Callable[[StackEvent], E | None], start: int = 0) -> E:
        """Wait for the first event, from the ``start``-th on, for which ``found`` gives something."""
        async with asyncio.timeout(10):
            while True:
                self._emitted.clear()
                for event in self.events[start:]:
                    if result := found(event):
                        return result
                start = len(self.events)
                await self._emitted.wait()

    async def state(self, name: str, state: ServiceState, start: int = 0) -> ServiceChanged:
        """Wait until a service entered a state."""

        def entered(event: StackEvent) -> ServiceChanged | None:
            right = isinstance(event, ServiceChanged) and event.name == name and event.state is state
            return event if right and isinstance(event, ServiceChanged) else None

        return await self.until(entered, start)

    async def log_line(self, text: str) -> str:
        """Wait for a log line that contains a text."""

        def says(event: StackEvent) -> str | None:
            line = event.event if isinstance(event, ChildReport) else None
            return line.message if isinstance(line, LogLine) and text in line.message else None

        return await self.until(says)

    def states(self, name: str) -> list[ServiceState]:
        """Return the states that a service went through."""
        states = [event.state for event in self.events if isinstance(event, ServiceChanged) and event.name == name]
        return [state for index, state in enumerate(states) if index == 0 or states[index - 1] is not state]

    def log_lines(self, name: str) -> list[str]:
        """Return what a service reported as log lines."""
        reports = [event for event in self.events if isinstance(event, ChildReport) and event.service == name]
        return [report.event.message for report in reports if isinstance(report.event, LogLine)]


async def eventually(condition: Callable[[], bool], timeout: float = 5.0) -> None:  # noqa: ASYNC109
    """Wait until a condition holds that nothing tells about."""

    def wait() -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it did not come true"
            time.sleep(0.01)

    await asyncio.to_thread(wait)


def lives(pid: int) -> bool:
    """Tell whether a process runs; a zombie that nobody has reaped yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr("pipeline.services.supervisor._TICK", 0.2)
    monkeypatch.setattr("pipeline.services.process._DRAIN", 0.3)
    bench = Bench(tmp_path)
    try:
        yield bench
        await bench.supervisor.stop_all()
        assert find_leftovers(bench.run_id) == []
        assert bench.supervisor.guard_pid is None
    finally:
        for leftover in find_leftovers(bench.run_id):
            leftover.process.kill()
