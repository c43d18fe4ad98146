"""One run: brings everything up in the order of what needs what, and ends it. Knows addresses, not profiles."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, Unpack

from pipeline import startup
from pipeline.broker.cluster import ClusterWatch
from pipeline.broker.reader import Reader
from pipeline.child import now_ms
from pipeline.completion import Ranges
from pipeline.desk import Desk
from pipeline.events import (
    ChildEvent,
    ChildReport,
    Command,
    Looked,
    Read,
    Ready,
    ServiceChanged,
    SinkStats,
    StackEvent,
    StackPhase,
    SymbolsWanted,
    WindowsStats,
)
from pipeline.feed.day import DayWatch
from pipeline.home import Home
from pipeline.inventory import INVENTORY, InventoryEvent
from pipeline.ledger import Stored
from pipeline.model import ServiceState
from pipeline.schemas.inventory import RegistryInventory
from pipeline.schemas.registry import registry_of
from pipeline.servers import Servers
from pipeline.services.leftovers import end_leftovers
from pipeline.services.ports import HOST, free_port
from pipeline.services.python import Options, python_service
from pipeline.services.runner import background
from pipeline.services.service import Service
from pipeline.services.state import RestartPolicy
from pipeline.services.supervisor import ServiceFailedError, ServiceStoppedError, Supervisor
from pipeline.settings import LIVE, Settings
from pipeline.sink import engine as sink_engine
from pipeline.startup import Checklist, Lines, StepFailedError
from pipeline.store.closed_windows import read_history
from pipeline.store.inventory import StoreInventory
from pipeline.text import clean
from pipeline.watching import watch
from pipeline.windows import engine as windows_engine
from pipeline.windows.progress import stalled

EXCHANGE = "exchange"
USUAL_EXCHANGE_PORT = 9443
WATCHDOG = 45.0
"""Seconds without a report, or without progress, after which a worker is killed and started again. Longer than a
consumer group needs to come over the death of its coordinator (about 20 s were seen)."""

REGISTRY_S, STORE_S = 15.0, 10.0
"""Pauses between two looks at the registry, at ClickHouse's tables."""
UNTIRING = RestartPolicy(limit=10_000)
"""What only looks is never given up: its end would be taken for the pipeline's."""

Emit = Callable[[StackEvent], None]
Result = TypeVar("Result")
Done = asyncio.Task[None]
_log = logging.getLogger(__name__)


class Run:
    """One life of the pipeline. Every method belongs to the event loop's thread; so does ``emit``."""

    def __init__(self, settings: Settings, home: Home, servers: Servers, emit: Emit) -> None:
        """Nothing is started yet.

        Raises:
            OSError: no free port was found.
        """
        addresses = servers.addresses()
        if settings.feed != LIVE:
            self._exchange_port = free_port(USUAL_EXCHANGE_PORT)
            addresses["binance_ws_url"] = f"ws://{HOST}:{self._exchange_port}"
            addresses["binance_rest_url"] = f"http://{HOST}:{self._exchange_port}"
        self._settings = settings.model_copy(update=addresses)
        self._desk = Desk(self._settings)
        self._home = home
        self._servers = servers
        self._emit = emit
        self._supervisor = Supervisor(self._heard, home.run_id)
        self._checklist = Checklist(emit, asyncio.get_running_loop())
        self._retry = asyncio.Event()
        self._up = False
        self._tasks: list[Done] = []
        self._reader: Reader | None = None
        self._symbols: tuple[str, ...] | None = None
        self.known = settings.symbols
        """The symbols that have a digit, in order."""
        self._day = DayWatch(self._settings.binance_rest_url, emit, lambda: self.known)

    # ---------------------------------------------------------------- what a person may ask for

    @property
    def desk(self) -> Desk:
        """Questions to this run's servers, from now on."""
        return self._desk

    def start(self) -> None:
        """Begin to bring everything up; returns at once."""
        self._phase("starting")
        self._emit(SymbolsWanted(self.wanted, now_ms(), self.known))
        self._tasks.append(asyncio.create_task(self._bring_up(), name="bring-up"))

    async def stop(self) -> None:
        """Stop everything in order, flushing first; returns when no process is left."""
        self._up = False
        self._phase("stopping")
        self._checklist.abandon()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.stop)
        await self._supervisor.stop_all()
        self._phase("stopped")

    async def retry(self) -> None:
        """Try again what failed: start-up steps, services that were given up, the connection to the exchange."""
        self._phase("running" if self._up else "starting")
        failed = [view.name for view in self._supervisor.views() if view.state is ServiceState.FAILED]
        if failed:
            await self._supervisor.start(*failed)
        self._retry.set()
        self.send("producer", Command(reconnect=True))

    async def restart(self, service: str) -> None:
        """Stop one service and start it again."""
        await self._supervisor.restart(service)
        self._started_by_hand()

    async def stop_service(self, service: str) -> None:
        """Stop one service; it stays stopped until somebody starts it."""
        await self._supervisor.stop(service)

    async def start_service(self, service: str) -> None:
        """Start one service that was stopped, or given up."""
        await self._supervisor.start(service)
        self._started_by_hand()

    def _started_by_hand(self) -> None:
        """Let what waited for it go on; what it had failed for is over."""
        if not self._up:
            self._phase("starting")
            self._retry.set()
        elif not any(view.state is ServiceState.FAILED for view in self._supervisor.views()):
            self._phase("running")

    @property
    def wanted(self) -> tuple[str, ...]:
        """The symbols that are to be streamed."""
        return self._settings.symbols if self._symbols is None else self._symbols

    def know(self, known: tuple[str, ...]) -> None:
        """Set which symbols have a digit, in order."""
        self.known = known
        self._day.changed()

    def set_symbols(self, symbols: tuple[str, ...], known: tuple[str, ...] = ()) -> None:
        """Stream exactly these symbols from now on, also after a restart of the producer.

        ``known`` are all that have a digit, in order; without it those of before, and what is new after them.
        """
        self._symbols = symbols
        self.know(tuple(dict.fromkeys((*(known or self.known), *symbols))))
        self._emit(SymbolsWanted(symbols, now_ms(), self.known))
        self._send_symbols()

    def send(self, service: str, command: Command) -> bool:
        """Send a command to a child; False where it does not run."""
        known = any(view.name == service for view in self._supervisor.views())
        return known and self._supervisor.send(service, command)

    async def audit(self, accepted: Ranges) -> Stored:
        """Look up in the store what is there of the accepted trades, and whether the windows agree with them."""
        return await asyncio.to_thread(startup.audit, self._settings, accepted)

    # ---------------------------------------------------------------- what needs what

    async def _bring_up(self) -> None:
        try:
            await asyncio.to_thread(end_leftovers, self._home.run_id)
            async with asyncio.TaskGroup() as group:
                prepared = group.create_task(self._servers.prepare(self._step))
                topics = group.create_task(self._kafka(prepared))
                schemas = group.create_task(self._registry(prepared))
                tables = group.create_task(self._store())
                feed = group.create_task(self._exchange())
                group.create_task(self._worker("producer", topics, schemas, feed))
                group.create_task(self._worker("windows", topics, schemas))
                group.create_task(self._worker("sink", topics, schemas, tables))
                group.create_task(self._read(topics, schemas))
                group.create_task(self._day_watch(feed))
        except* Exception as failures:  # noqa: BLE001 - nobody awaits this task, and what was not foreseen must be seen
            _log.exception("the stack could not be started")
            first = failures.exceptions[0]
            self._phase("failed", f"{type(first).__name__}: {first}")
        else:
            self._up = True
            self._phase("running")

    async def _kafka(self, prepared: Done) -> None:
        await prepared
        await self._launch(*await self._servers.kafka(self._step))
        cluster = ClusterWatch(self._settings, self._emit, self._servers.expected_brokers)
        self._tasks.append(asyncio.create_task(cluster.run(), name="cluster"))
        await self._step("topics", partial(startup.topics, self._settings))
        environment = self._settings.environment()
        looks = python_service("pipeline.broker", INVENTORY, self._home, environment, restart=UNTIRING)
        self._supervisor.add(looks)
        await self._supervisor.start(INVENTORY)  # nothing waits for it

    async def _read(self, *needed: Done) -> None:
        await asyncio.gather(*needed)
        loop = asyncio.get_running_loop()

        def emit(event: Read) -> None:
            loop.call_soon_threadsafe(self._emit, event)

        self._reader = Reader(self._settings, emit)
        self._reader.start()

    async def _registry(self, prepared: Done) -> None:
        await prepared
        await self._launch(*await self._servers.registry(self._step))
        self._look(RegistryInventory(registry_of(self._settings)).look, REGISTRY_S)
        await self._step("schemas", partial(startup.schemas, self._settings))

    async def _store(self) -> None:
        await self._launch(*self._servers.store(self._settings))
        self._look(StoreInventory(self._settings).look, STORE_S)
        await self._step("clickhouse", partial(startup.ddl, self._settings))
        self._tasks.append(asyncio.create_task(read_history(self._settings, self._emit), name="history"))

    async def _exchange(self) -> None:
        if self._settings.feed == LIVE:
            return
        settings = self._settings
        source = (
            ("--source", settings.feed, "--speed", str(settings.speed).replace("inf", "max"))
            if settings.recording
            else ("--rate", str(settings.simulated_rate), "--seed", str(settings.simulated_seed))
        )
        port = self._exchange_port
        args = ("--port", str(port), *source)
        await self._launch(self._child(EXCHANGE, args=args, address=f"{HOST}:{port}"))

    async def _day_watch(self, feed: Done) -> None:
        """What a recording's symbols did in the last 24 hours says nothing of it, so nobody is asked then."""
        await feed
        if self._settings.recording is None:
            self._tasks.append(asyncio.create_task(self._day.run(), name="day"))

    async def _worker(self, name: str, *needed: Done) -> None:
        await asyncio.gather(*needed)
        hook = _windows_stalled if name == "windows" else None
        await self._launch(self._child(name, watchdog=WATCHDOG, stalled=hook))

    # ---------------------------------------------------------------- how it is done

    def _look(self, look: Callable[[], InventoryEvent], interval: float) -> None:
        """Look at something again and again, from now until the end of the run."""
        self._tasks.append(background(watch(look, self._emit, interval), "look at the servers"))

    def _child(self, name: str, *, args: tuple[str, ...] = (), **options: Unpack[Options]) -> Service:
        return python_service(f"pipeline.{name}", name, self._home, self._settings.environment(), args=args, **options)

    async def _launch(self, *services: Service) -> None:
        """Start services and wait until they are ready, however often a person has to help."""
        for service in services:
            self._supervisor.add(service)
        if not services:
            return
        await self._supervisor.start(*(service.name for service in services))
        for service in services:
            await self._insist(partial(self._supervisor.wait_ready, service.name))

    async def _step(self, group: str, step: Callable[[Lines], Result], /) -> Result:
        return await self._insist(partial(self._checklist.run, group, step))

    async def _insist(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Make attempts, each further one when a person asks for it, until one succeeds."""
        while True:
            self._retry.clear()
            try:
                return await attempt()
            except ServiceStoppedError as error:  # by hand: no failure, but nothing goes on without it
                self._phase("starting", str(error))
                await self._retry.wait()
            except (StepFailedError, ServiceFailedError) as error:
                self._phase("failed", str(error))
                await self._retry.wait()

    def _heard(self, event: StackEvent) -> None:
        """Pass an event of the supervisor on, and see to what follows from it."""
        if isinstance(event, ChildReport) and isinstance(event.event, Looked):
            for seen in (event.event.topics, event.event.groups):
                if seen is not None:
                    self._emit(seen)
            return
        self._emit(event)
        if isinstance(event, ServiceChanged) and event.state is ServiceState.FAILED and self._up:
            self._phase("failed", f"{event.name}: {event.last_error}")
        if isinstance(event, ChildReport) and isinstance(event.event, WindowsStats):
            self._emit(windows_engine.seen(event.event))
        if isinstance(event, ChildReport) and isinstance(event.event, SinkStats):
            self._emit(sink_engine.seen(event.event))
        if isinstance(event, ChildReport) and isinstance(event.event, Ready) and event.service == "producer":
            self._send_symbols()  # a producer that was started again has the symbols of the beginning

    def _send_symbols(self) -> None:
        if self._symbols is not None:
            self.send("producer", Command(symbols=self._symbols))

    def _phase(self, phase: str, detail: str = "") -> None:
        self._emit(StackPhase(phase, now_ms(), clean(detail)))


def _windows_stalled(previous: ChildEvent, current: ChildEvent) -> bool:
    return isinstance(previous, WindowsStats) and isinstance(current, WindowsStats) and stalled(previous, current)
