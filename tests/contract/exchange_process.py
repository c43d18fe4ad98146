"""The simulated exchange as a process of its own, for tests that speak to it from outside."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from pipeline.events import AnyChildEvent, Command, ExchangeStats, Failed, LogLine, Ready

ROOT = Path(__file__).parents[2]
_events = msgspec.json.Decoder(AnyChildEvent)
_PATIENCE_S = 15.0


class ExchangeProcess:
    """A running exchange: its address, what it says, what it is told."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.address = ""
        """host:port of WebSocket and REST."""

    async def event(self, matches: Callable[[AnyChildEvent], bool]) -> AnyChildEvent:
        """Read its output until an event matches.

        Warnings, errors and a failure that were not asked for fail the test.
        """
        assert self.process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            while line := await self.process.stdout.readline():
                event: AnyChildEvent = _events.decode(line)
                if matches(event):
                    return event
                assert not isinstance(event, Failed | LogLine), event
        raise AssertionError("its output ended without that event")

    async def failure(self) -> str:
        """Return why it could not start: the error it logged is the reason it gives."""
        logged = await self.event(lambda event: isinstance(event, LogLine))
        failed = await self.event(lambda event: isinstance(event, Failed))
        assert isinstance(failed, Failed)
        assert isinstance(logged, LogLine)
        assert failed.reason in logged.message
        return failed.reason

    async def stats(self, matches: Callable[[ExchangeStats], bool] = lambda _: True) -> ExchangeStats:
        """Read its output until a report matches."""
        event = await self.event(lambda event: isinstance(event, ExchangeStats) and matches(event))
        assert isinstance(event, ExchangeStats)
        return event

    async def fault(self, name: str, **args: float) -> None:
        """Ask for a fault over its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(Command(fault=name, fault_args=args)) + b"\n")
        await self.process.stdin.drain()


@asynccontextmanager
async def exchange(home: Path, *flags: str) -> AsyncIterator[ExchangeProcess]:
    """Start an exchange on a free port and wait until it is ready; stop it at the end, whatever happens."""
    async with started(home, *flags) as running:
        ready = await running.event(lambda event: isinstance(event, Ready))
        assert isinstance(ready, Ready)
        running.address = ready.detail.removeprefix("ws://")
        yield running


@asynccontextmanager
async def started(home: Path, *flags: str) -> AsyncIterator[ExchangeProcess]:
    """Start an exchange that may fail to get ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pipeline.exchange", "--port", "0", *flags),
        stdin=PIPE,
        stdout=PIPE,
        cwd=home,  # where no .env is
        env={**os.environ, "PYTHONPATH": str(ROOT), "CRYPTOSTREAMX_HOME": str(home)},
    )
    try:
        yield ExchangeProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
