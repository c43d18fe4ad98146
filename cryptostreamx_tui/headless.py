"""The face without a screen: the same stack, one JSON object a line on standard output.

With ``--until-end`` it ends by itself once a recording has arrived everywhere, with a summary as its last line. It
never imports textual.
"""

import asyncio
import signal
import sys
import time
from typing import Any

import msgspec

from pipeline.completion import Completion
from pipeline.events import (
    ChildReport,
    ClusterSeen,
    DaySeen,
    DeadLettersRead,
    HistoryRead,
    ReaderTrouble,
    ServiceChanged,
    StackEvent,
    StackPhase,
    StepChanged,
    SymbolsWanted,
    TradesRead,
    WindowsRead,
)
from pipeline.inventory import EngineSeen, GroupsSeen, RegistrySeen, StoreSeen, TopicsSeen
from pipeline.stack import Stack

_NAMES: dict[type, str] = {
    ServiceChanged: "service",
    StepChanged: "step",
    ChildReport: "report",
    TradesRead: "trades",
    WindowsRead: "windows",
    HistoryRead: "history",
    DeadLettersRead: "dead_letters",
    ReaderTrouble: "reader",
    ClusterSeen: "cluster",
    DaySeen: "day",
    TopicsSeen: "topics",
    GroupsSeen: "groups",
    RegistrySeen: "subjects",
    StoreSeen: "tables",
    EngineSeen: "engine",
    StackPhase: "phase",
    SymbolsWanted: "symbols",
}
INCOMPLETE = 1


def as_line(event: StackEvent) -> bytes:
    """Return an event as one JSON line. Trades are counted, not listed: who wants them reads the topic."""
    fields: dict[str, Any]
    if isinstance(event, TradesRead):
        fields = {"count": len(event.trades), "time": event.time}
    elif isinstance(event, HistoryRead):
        fields = {"count": len(event.windows), "time": event.time}
    elif isinstance(event, DeadLettersRead):
        places = [(letter.topic, letter.partition, letter.offset, letter.reason) for letter in event.letters]
        fields = {"letters": places, "time": event.time}
    else:
        fields = msgspec.to_builtins(event)
    return msgspec.json.encode({"type": _NAMES[type(event)], **fields}) + b"\n"


def write(line: bytes) -> None:
    """Write a line at once: whoever reads it acts on it."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def run_headless(stack: Stack) -> int:
    """Run until a signal, a failure that nobody is there to retry, or a recording's end; return the exit code."""
    return asyncio.run(_Headless(stack).run())


class _Headless:
    """One run: events out, signals in."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._over = asyncio.Event()
        self._failure: str | None = None
        self._completion = Completion(stack, time.monotonic) if stack.settings.until_end else None
        self._states: dict[str, object] = {}

    def _emit(self, event: StackEvent) -> None:
        if self._completion and isinstance(event, ChildReport):
            self._completion.apply(event.event)
        if isinstance(event, StackPhase) and event.phase == "failed":
            self._failure = event.detail
            self._over.set()
        if not self._is_tick(event):
            self._write(as_line(event))

    def _write(self, line: bytes) -> None:
        try:
            write(line)
        except BrokenPipeError:  # nobody reads on: the end of ``| head``
            self._failure = "standard output was closed"
            self._over.set()

    def _is_tick(self, event: StackEvent) -> bool:
        """Tell whether a service only reports its memory again: a line a second for each says nothing new."""
        if not isinstance(event, ServiceChanged):
            return False
        key = (event.state, event.pid, event.restarts, event.last_error)
        same = self._states.get(event.name) == key
        self._states[event.name] = key
        return same

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._over.set)
        summary: dict[str, object] | None = None
        await self._stack.start(self._emit)
        try:
            over = asyncio.create_task(self._over.wait())
            if self._completion:
                settled = asyncio.create_task(self._completion.wait())
                await asyncio.wait((over, settled), return_when=asyncio.FIRST_COMPLETED)
                if settled.done():
                    settled.result()
                settled.cancel()
                summary = self._completion.summary(self._failure)
            else:
                await over
        finally:
            await self._stack.stop()
        if summary is not None:
            self._write(msgspec.json.encode(summary) + b"\n")
            return 0 if summary["complete"] else INCOMPLETE
        return INCOMPLETE if self._failure else 0
