"""The stack: everything that runs, in order. The only file that knows the profiles.

A profile is a list of servers and their addresses (``_local``, ``_cluster``). What comes after - topics, schemas, DDL,
the producer, the windows, the sink, the reading for the screen - is one code path over addresses.
"""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import IO

from pipeline import startup
from pipeline.broker.cluster import ClusterWatch
from pipeline.broker.reader import Reader
from pipeline.child import now_ms
from pipeline.events import Command, StackEvent, StackPhase
from pipeline.home import Home
from pipeline.model import ServiceState
from pipeline.services import jars, python
from pipeline.services.leftovers import end_leftovers
from pipeline.services.ports import free_ports
from pipeline.services.supervisor import ServiceFailedError, Supervisor
from pipeline.settings import LIVE, SIMULATED, Settings
from pipeline.startup import Checklist, Lines, StepFailedError

USUAL_PORTS = {
    "zookeeper": 2181,
    "kafka-0": 9092,
    "kafka-1": 9093,
    "kafka-2": 9094,
    "schema-registry": 8081,
    "clickhouse": 8123,
    "exchange": 9443,
}


class Stack:
    """One instance of the pipeline in one home.

    ``open`` takes the home, ``start`` returns at once and everything else rises as events, ``stop`` ends all processes,
    ``close`` lets the home go. All coroutines belong to one event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.symbols: tuple[str, ...] = settings.symbols
        """Symbols known to this run, in order; which of them are streamed is the producer's to report."""
        self._home = Home(settings.home)
        self._lock: IO[str] | None = None
        self._retry = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._emit: Callable[[StackEvent], None] = lambda _event: None
        self._supervisor: Supervisor | None = None
        self._reader: Reader | None = None
        self._watch: ClusterWatch | None = None

    @property
    def feed(self) -> str:
        """What is streamed, for a person: ``live``, ``simulated`` or ``replay of <file>``."""
        recording = self.settings.recording
        return f"replay of {recording.name}" if recording else self.settings.feed
