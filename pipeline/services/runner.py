"""Runs one service: does what its lifecycle's states ask for, and tells the lifecycle what happened.

Everything here runs in the event loop, in callbacks; each state has at most one timer. Other services exist for it
only as "the dependencies are ready", which the supervisor says.
"""

import asyncio
import contextlib
import random
import signal
from collections.abc import Callable, Coroutine, Mapping

import msgspec

from pipeline.child import now_ms
from pipeline.events import (
    AnyChildEvent,
    ChildReport,
    Command,
    ExchangeStats,
    Failed,
    LogLine,
    ProducerStats,
    Ready,
    ServiceChanged,
    SinkStats,
    StackEvent,
    WindowsStats,
)
from pipeline.model import ServiceState
from pipeline.services.logfile import LogFile, first_line
from pipeline.services.process import ChildProcess, signal_name
from pipeline.services.service import Probe, Service
from pipeline.services.state import Lifecycle
from pipeline.services.watchdog import Watchdog
from pipeline.text import clean

_PROBE_INTERVAL = 0.1
_PROBE_TIMEOUT = 5.0
_STRANGE_LINES = 20
"""Lines a second that are no events and are still written down one by one."""

_decoder: msgspec.json.Decoder[AnyChildEvent] = msgspec.json.Decoder(AnyChildEvent)


class Runner:
    """One service and its process, if it has one."""

    def __init__(
        self,
        service: Service,
        environment: Mapping[str, str],
        emit: Callable[[StackEvent], None],
        on_change: Callable[[], None],
        clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self.service = service
        self.memory: int | None = None
        """Resident bytes of the process and what it started; filled in by the supervisor."""
        self.lifecycle = Lifecycle(service.restart, rng)
        self._environment = environment
        self._emit = emit
        self._on_change = on_change
        self._clock = clock
        self._since = now_ms()
        self._retry_at: int | None = None
        self._child: ChildProcess | None = None
        self._log: LogFile | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._probing: asyncio.Task[None] | None = None
        self._launching: asyncio.Task[None] | None = None
        self._not_ready = ""
        self._failed: str | None = None
        self._strange_lines = 0
        self._watchdog = Watchdog(service.watchdog, service.stalled) if service.watchdog is not None else None

    @property
    def state(self) -> ServiceState:
        """The service's state."""
        return self.lifecycle.state

    @property
    def pid(self) -> int | None:
        """Of the running process, also while it stops."""
        return self._child.pid if self._child else None

    def view(self) -> ServiceChanged:
        """Return how it stands."""
        return ServiceChanged(
            name=self.service.name,
            state=self.state,
            time=now_ms(),
            since=self._since,
            pid=self.pid,
            restarts=self.lifecycle.restarts,
            last_error=self.lifecycle.last_error,
            log_path=str(self.service.log_path),
            memory=self.memory,
            retry_at=self._retry_at,
            address=self.service.address,
        )

    def want(self) -> None:
        """Start it, also out of FAILED; at once if it is backing off."""
        self._changed(self.lifecycle.wanted(self._clock()))

    def dependencies_ready(self) -> None:
        """What it depends on is ready."""
        self._changed(self.lifecycle.dependencies_ready(self._clock()))

    def stop(self) -> None:
        """Tell it to stop; it has when the state is STOPPED."""
        self._changed(self.lifecycle.stop(self._clock()))

    def send(self, command: Command) -> bool:
        """Send a command to the process; False where there is none that takes commands."""
        return self._child is not None and self._child.send(command)

    def tick(self, held_up: float) -> None:
        """Once a second: look at the watchdog, tell memory and uptime. ``held_up``: seconds that it comes late."""
        if self._strange_lines > _STRANGE_LINES:
            self._warn(f"{self._strange_lines - _STRANGE_LINES} more lines not understood")
        self._strange_lines = 0
        if self._watchdog is not None and self.state is ServiceState.READY:
            self._watchdog.held_up(held_up)
            if self._watchdog.overdue(self._clock()):
                # It may be deaf to SIGTERM: what makes no progress may well not look at its signals either.
                self._condemn(f"no progress for {self.service.watchdog:g} s")
        if self.pid is not None:
            self._emit(self.view())

    # ------------------------------------------------------------ the process speaks (Watcher)

    def line(self, line: bytes, dropped: int) -> None:
        """Take a line of the process's standard output."""
        if line.startswith(b"{") and not dropped:
            try:
                event = _decoder.decode(line)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                pass  # not an event: it is told below, like any other such line
            else:
                self._heard(event)
                return
        if not line and not dropped:
            return
        self._strange_lines += 1
        if self._strange_lines <= _STRANGE_LINES:
            self._warn(f"not understood: {first_line(line, dropped)}")

    def exited(self, code: int) -> None:
        """Take the end of the process."""
        reason = self._reason(code)
        self._child = None
        self._gone(reason)

    def _heard(self, event: AnyChildEvent) -> None:
        match event:
            case Ready():
                if self.service.probe is None:
                    self._changed(self.lifecycle.ready(self._clock()))
            case Failed(reason=reason):
                self._failed = clean(reason)
            case ProducerStats() | WindowsStats() | SinkStats() | ExchangeStats() if self._watchdog is not None:
                self._watchdog.report(event, self._clock())
        self._emit(ChildReport(self.service.name, event))

    def _warn(self, message: str) -> None:
        if self._log is not None:
            with contextlib.suppress(OSError):  # a full disk; the line below tells it all the same
                self._log.write(message)
        self._emit(ChildReport(self.service.name, LogLine(level="WARNING", time=now_ms(), message=message)))

    def _reason(self, code: int) -> str:
        if self._failed is not None:
            return self._failed
        if code == -signal.SIGKILL:
            return "killed by SIGKILL"  # it had no chance to say anything about it
        return _with(f"exit code {code}" if code >= 0 else f"killed by {signal_name(code)}", self._last_words(code > 0))

    def _last_words(self, of_error: bool) -> str:
        return self._log.last_words(of_error=of_error) if self._log is not None else ""

    # ------------------------------------------------------------ what the states ask for

    def _changed(self, changed: bool) -> None:
        if not changed:
            return
        self._since = now_ms()
        self._retry_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._probing is not None and self.state is not ServiceState.STARTING:
            self._probing.cancel()
            self._probing = None
        loop = asyncio.get_running_loop()
        match self.state:
            case ServiceState.STARTING:
                self._timer = loop.call_later(self.service.start_timeout, self._start_timed_out)
                self._launching = background(self._launch(), f"start {self.service.name}")
            case ServiceState.READY:
                if self._watchdog is not None:
                    self._watchdog.ready(self._clock())
            case ServiceState.BACKING_OFF if self.lifecycle.retry_at is not None:
                delay = max(0.0, self.lifecycle.retry_at - self._clock())
                self._retry_at = self._since + round(delay * 1000)
                self._timer = loop.call_later(delay, self._retry)
            case ServiceState.STOPPING:
                self._timer = loop.call_later(self.service.stop_timeout, self._deaf)
                if self._child is not None:
                    self._child.signal(signal.SIGTERM)
        self._emit(self.view())
        self._on_change()

    async def _launch(self) -> None:
        service = self.service
        child = ChildProcess(self)
        self._failed, self._not_ready = None, ""
        try:
            self._log = LogFile(service.log_path)
            self._child = child
            await child.start(service.command, self._environment, self._log.fd, piped=service.speaks_protocol)
        except (OSError, ValueError) as error:
            self._child = None
            self._gone(clean(f"cannot be started: {error}"))
            return
        if self._child is not child:
            return  # it has exited already
        if self.state is ServiceState.STOPPING:  # told to stop while it was being made
            child.signal(signal.SIGTERM)
        elif self.lifecycle.doomed:  # or given up
            child.signal(signal.SIGKILL)
        elif service.probe is not None:
            self._probing = background(self._probe(service.probe), f"probe {service.name}")
        elif not service.speaks_protocol:
            self._changed(self.lifecycle.ready(self._clock()))
            return
        self._emit(self.view())  # the pid is known

    async def _probe(self, probe: Probe) -> None:
        while True:
            try:
                async with asyncio.timeout(_PROBE_TIMEOUT):
                    reason = await probe()
            except TimeoutError:
                reason = f"no answer to the probe within {_PROBE_TIMEOUT:g} s"
            if reason is None:
                break
            self._not_ready = reason
            await asyncio.sleep(_PROBE_INTERVAL)
        self._probing = None  # so that leaving STARTING does not cancel the very task that does it
        self._changed(self.lifecycle.ready(self._clock()))

    def _gone(self, reason: str) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None
        self.memory = None
        self._changed(self.lifecycle.exited(self._clock(), reason))

    def _retry(self) -> None:
        self._changed(self.lifecycle.retry_due(self._clock()))

    def _start_timed_out(self) -> None:
        why = self._not_ready or self._last_words(of_error=True)
        self._condemn(_with(f"not ready within {self.service.start_timeout:g} s", why))

    def _condemn(self, reason: str) -> None:
        if self.lifecycle.condemned(reason) and self._child is not None:
            self._child.signal(signal.SIGKILL)

    def _deaf(self) -> None:
        if self.lifecycle.deaf(f"did not stop within {self.service.stop_timeout:g} s: killed") and self._child:
            self._child.signal(signal.SIGKILL)


def _with(what: str, detail: str) -> str:
    return f"{what}: {detail}" if detail else what


def background(coroutine: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
    """Run a coroutine on its own; if it breaks, the event loop's exception handler is told, at once."""

    def done(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            message = f"task {name!r} broke"
            task.get_loop().call_exception_handler({"message": message, "exception": error, "task": task})

    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    task.add_done_callback(done)
    return task
