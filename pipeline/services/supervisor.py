"""Runs services: starts them in the order of their dependencies, restarts what dies, stops them in the order of ranks.

Runs in the application's event loop and tells it everything through ``emit``. Knows nothing of what the services are.
"""

import asyncio
import graphlib
import logging
import random
import time
import uuid
from collections.abc import Callable

import psutil

from pipeline.events import Command, ServiceChanged, StackEvent
from pipeline.model import ServiceState
from pipeline.services.guarding import Guard
from pipeline.services.leftovers import end_leftovers, marks
from pipeline.services.logfile import cap
from pipeline.services.memory import MemoryMeter
from pipeline.services.runner import Runner, background
from pipeline.services.service import Service, base_environment

_TICK = 1.0
_CAP_LOGS = 30
"""Ticks between two looks at the sizes of the logs."""
_AFTER_KILL = 5.0
"""Seconds that ``stop`` waits for the end of a process that was killed, beyond its ``stop_timeout``."""

_log = logging.getLogger(__name__)


class ServiceFailedError(RuntimeError):
    """A service that was waited for will not become ready."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class ServiceStoppedError(ServiceFailedError):
    """A service that was waited for was stopped, or waits for one that was: somebody's wish, and no failure."""


class Supervisor:
    """Supervises services. Every method is for the event loop's thread only; so is ``emit``, which must not block."""

    def __init__(
        self,
        emit: Callable[[StackEvent], None],
        run_id: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        """``run_id`` is the same for every run in one home; ``clock`` gives seconds, monotonic."""
        self._emit = emit
        self._run_id = run_id
        self._instance = uuid.uuid4().hex
        self._clock = clock
        self._rng = rng or random.SystemRandom()
        self._runners: dict[str, Runner] = {}
        self._guard = Guard(run_id, self._instance)
        self._meter = MemoryMeter()
        self._ticking: asyncio.Task[None] | None = None
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def guard_pid(self) -> int | None:
        """The process that ends the others when this one dies; None before the first start."""
        return self._guard.pid

    def add(self, service: Service) -> None:
        """Take a service, STOPPED at first.

        Raises:
            ValueError: there is one of this name already.
        """
        if service.name in self._runners:
            raise ValueError(f"there is a service {service.name!r} already")
        environment = {
            **base_environment(),
            **service.environment,
            **marks(self._run_id, self._instance, service.name, service.stop_rank),
        }
        self._runners[service.name] = Runner(
            service, environment, self._emit, self._something_changed, self._clock, self._rng
        )

    async def start(self, *names: str) -> None:
        """Start services (without names: all), also FAILED and STOPPED ones; returns at once.

        Each waits until those it depends on are READY; those are not started by it.

        Raises:
            KeyError: there is no service of a name, or none of a name that one depends on.
            graphlib.CycleError: services depend on each other in a circle.
            OSError: the guard, without which nothing is started, cannot be.
        """
        self._check_dependencies()
        runners = [self._runners[name] for name in names or self._runners]
        await self._guard.keep()
        if self._ticking is None:
            self._ticking = background(self._tick(), "supervisor's tick")
        for runner in runners:
            runner.want()

    async def stop(self, name: str) -> None:
        """Stop a service and wait until its process is gone. A FAILED one stays FAILED."""
        runner = self._runners[name]
        runner.stop()
        try:
            async with asyncio.timeout(runner.service.stop_timeout + _AFTER_KILL):
                while runner.state is ServiceState.STOPPING:
                    await self._next_change()
        except TimeoutError:
            _log.error("%s (pid %s) is still there after SIGKILL", name, runner.pid)

    async def restart(self, name: str) -> None:
        """Stop a service if it runs, and start it; returns once it is being started."""
        await self.stop(name)
        await self.start(name)

    async def wait_ready(self, name: str) -> None:
        """Wait until a service is READY.

        Raises:
            ServiceFailedError: it is FAILED, or waits for one that is.
            ServiceStoppedError: it is STOPPED, or waits for one that is.
        """
        runner = self._runners[name]
        while runner.state is not ServiceState.READY:
            if (hopeless := self._hopeless(runner)) is not None:
                kind, reason = hopeless
                raise kind(name, reason)
            await self._next_change()

    async def stop_all(self) -> None:
        """Stop everything, the highest stop rank first, and leave no process behind. Bounded in time."""
        runners = list(self._runners.values())
        for runner in runners:
            runner.lifecycle.forget_dependencies()
            if runner.pid is None:  # so that it does not start while others stop
                runner.stop()
        for rank in sorted({runner.service.stop_rank for runner in runners}, reverse=True):
            of_rank = [runner.service.name for runner in runners if runner.service.stop_rank == rank]
            await asyncio.gather(*(self.stop(name) for name in of_rank))
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
            # What a process started outside its own process group has outlived it.
            await asyncio.to_thread(end_leftovers, self._run_id, self._instance, patience=_AFTER_KILL, looks=1)
        await self._guard.dismiss()

    def send(self, name: str, command: Command) -> bool:
        """Send a command to a service's process; False where it does not run, or does not read."""
        return self._runners[name].send(command)

    def view(self, name: str) -> ServiceChanged:
        """Return how a service stands."""
        return self._runners[name].view()

    def views(self) -> tuple[ServiceChanged, ...]:
        """Return how all services stand, in the order in which they were added."""
        return tuple(runner.view() for runner in self._runners.values())

    # ------------------------------------------------------------

    def _check_dependencies(self) -> None:
        graph = {name: runner.service.depends_on for name, runner in self._runners.items()}
        for name, dependencies in graph.items():
            for dependency in dependencies:
                if dependency not in graph:
                    raise KeyError(f"{name} depends on {dependency!r}, which there is not")
        graphlib.TopologicalSorter(graph).prepare()

    def _hopeless(self, runner: Runner) -> tuple[type[ServiceFailedError], str] | None:
        """Tell why a service will not become ready by itself; None if it may."""
        if runner.state is ServiceState.FAILED:
            return ServiceFailedError, runner.lifecycle.last_error or "failed"
        if runner.state is ServiceState.STOPPED:
            return ServiceStoppedError, "stopped"
        if runner.lifecycle.waits_for_dependencies:
            for name in runner.service.depends_on:
                if (hopeless := self._hopeless(self._runners[name])) is not None:
                    kind, reason = hopeless
                    return kind, f"waits for {name}: {reason}"
        return None

    def _something_changed(self) -> None:
        for runner in self._runners.values():
            if runner.state is ServiceState.WAITING and not (
                runner.lifecycle.waits_for_dependencies
                and any(self._runners[name].state is not ServiceState.READY for name in runner.service.depends_on)
            ):
                runner.dependencies_ready()
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _next_change(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    async def _tick(self) -> None:
        ticks = 0
        last = self._clock()
        while True:
            await asyncio.sleep(_TICK)
            now = self._clock()
            late, last = now - last - _TICK, now
            held_up = late if late > _TICK else 0.0  # the loop was blocked: reports may lie there unread
            ticks += 1
            await self._measure()
            for runner in self._runners.values():
                runner.tick(held_up)
            try:
                await self._guard.keep()
                if ticks % _CAP_LOGS == 0:
                    await self._cap_logs()
            except OSError as error:
                _log.error("the guard or a log: %s", error)

    async def _measure(self) -> None:
        pids = {runner.pid: runner for runner in self._runners.values() if runner.pid is not None}
        try:
            sizes = await asyncio.to_thread(self._meter.read, pids)
        except (psutil.Error, OSError) as error:
            _log.warning("memory cannot be read: %s", error)
            return
        for pid, runner in pids.items():
            if runner.pid == pid:
                runner.memory = sizes.get(pid)

    async def _cap_logs(self) -> None:
        for runner in self._runners.values():
            # A child of ours rotates its log itself.
            if runner.pid is not None and not runner.service.speaks_protocol:
                await asyncio.to_thread(cap, runner.service.log_path)
