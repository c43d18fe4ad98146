"""The watcher's side: an instance that runs in a home, as if it were a stack of one's own.

It starts nothing, holds no lock and stops nothing. What rises in the instance comes over its socket; trades, windows
and dead letters it reads from Kafka itself, as every screen does. When the instance ends, that is said, and when
another one comes in the same home, that one is watched.
"""

import asyncio
import itertools
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from pipeline import __version__
from pipeline.attach.addresses import merged
from pipeline.attach.lines import (
    Answer,
    AskFrame,
    Hello,
    Order,
    Restart,
    Retry,
    SetSymbols,
    StartService,
    StopService,
    line_of_order,
    told_in,
)
from pipeline.attach.place import place_of
from pipeline.broker.reader import Reader
from pipeline.child import now_ms
from pipeline.desk import Desk
from pipeline.events import (
    ChildReport,
    LogLine,
    Read,
    ReaderTrouble,
    ServiceChanged,
    StackEvent,
    StackPhase,
    SymbolsWanted,
)
from pipeline.home import Home
from pipeline.model import ServiceState
from pipeline.settings import Settings
from pipeline.store.closed_windows import read_history
from pipeline.text import clean

ENDED = "the pipeline that was watched has ended"
LONGEST_LINE = 8 * 1024 * 1024
GREETING_S = 3.0
AGAIN_S = 1.0
"""Between two looks for another instance."""
ORDER_S = 120.0
"""An order that takes longer is not waited for: a server has its time to stop."""
_ANSWERING = ("running", "failed")
"""Phases in which Kafka may have something to read: it has been up, or it is what failed."""

Emit = Callable[[StackEvent], None]
_log = logging.getLogger(__name__)


class NotRunningError(RuntimeError):
    """No instance runs in the home."""

    def __init__(self, home: Home, why: str) -> None:
        super().__init__(f"no instance runs in {home.path} ({why})")


class OrderError(RuntimeError):
    """The instance did not do what it was asked for, in its own words."""


class AttachedStack:
    """``open`` looks whether an instance runs; ``start``, ``stop`` and the rest are as with a stack of one's own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        """One's own; with the instance's addresses once it has greeted."""
        self._own = settings
        self._home = Home(settings.home)
        self._hello: Hello | None = None
        self._desk: Desk | None = None
        self._emit: Emit = lambda _: None
        self._task: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reader: Reader | None = None
        self._history: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._numbers = itertools.count(1)
        self._services: dict[str, ServiceChanged] = {}
        self._told = False
        """Whether an instance has told anything yet."""

    @property
    def feed(self) -> str:
        """What the instance streams, for a person."""
        return self._hello.feed if self._hello else self.settings.feed

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols the instance knows, in the order of their digits."""
        return self._hello.known if self._hello else self.settings.symbols

    @property
    def desk(self) -> Desk | None:
        """Questions to the instance's servers; None while none is watched."""
        return self._desk

    def open(self) -> None:
        """Look whether an instance runs in the home, and take its greeting. Blocks, for three seconds at most.

        Raises:
            NotRunningError: none does.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(GREETING_S)
            try:
                connection.connect(str(place_of(self._home)))
                with connection.makefile("rb") as lines:
                    told = told_in(lines.readline(LONGEST_LINE))
            except (OSError, msgspec.MsgspecError) as error:
                raise NotRunningError(self._home, getattr(error, "strerror", None) or str(error)) from error
        if not isinstance(told, Hello):
            raise NotRunningError(self._home, "it does not say what it is")
        self._greeted(told)

    def close(self) -> None:
        """Nothing is held."""

    async def start(self, emit: Emit) -> None:
        """Begin to watch; returns at once."""
        self._emit = emit
        self._task = asyncio.create_task(self._watch(), name="watch")

    async def stop(self) -> None:
        """Look away. The pipeline goes on running."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._look_away()

    # ---------------------------------------------------------------- orders, which the instance carries out

    async def retry(self) -> None:
        """Have the instance try again what failed."""
        await self._order(Retry)

    async def restart(self, service: str) -> None:
        """Have the instance stop and start one service."""
        await self._order(Restart, service=service)

    async def stop_service(self, service: str) -> None:
        """Have the instance stop one service."""
        await self._order(StopService, service=service)

    async def start_service(self, service: str) -> None:
        """Have the instance start one service."""
        await self._order(StartService, service=service)

    async def set_symbols(self, symbols: tuple[str, ...], known: tuple[str, ...] = ()) -> None:
        """Have the instance stream exactly these symbols, and know those, in their order."""
        await self._order(SetSymbols, symbols=symbols, known=known)

    async def ask_frame(self, symbol: str, trade_id: int) -> None:
        """Have the instance's producer tell a trade's raw frame; the answer comes as an event."""
        await self._order(AskFrame, symbol=symbol, trade_id=trade_id)

    async def use_simulated(self) -> None:
        """Change to the simulated exchange: not from here.

        Raises:
            OrderError: always.
        """
        raise OrderError("whoever watches a pipeline cannot change its feed")

    async def _order(self, kind: type[Order], **fields: Any) -> None:
        """Give an order and wait until it has been carried out.

        Raises:
            OrderError: it was not.
        """
        if self._writer is None:
            raise OrderError(ENDED)
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(line_of_order(kind(number=number, **fields)))
            async with asyncio.timeout(ORDER_S):
                error = (await answer).error
        except TimeoutError:
            raise OrderError(f"no answer within {ORDER_S:.0f} s") from None
        finally:
            self._answers.pop(number, None)
        if error is not None:
            raise OrderError(error)

    # ---------------------------------------------------------------- watching

    async def _watch(self) -> None:
        path, told_of_end = place_of(self._home), False
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(str(path), limit=LONGEST_LINE)
            except OSError:
                if not told_of_end:
                    self._tell_end()
                    told_of_end = True
                await asyncio.sleep(AGAIN_S)
                path = place_of(self._home)
                continue
            told_of_end = False
            if self._told:
                # The same instance, or another one: it tells everything anew, and nothing may stand twice.
                self._services.clear()
                self._emit(StackPhase("stopped", now_ms(), "the connection was lost and is made again"))
            try:
                await self._follow(reader)
            except (OSError, ValueError) as error:  # ValueError: a line that is longer than any that is told
                _log.warning("the connection to the instance was lost: %s", clean(str(error)))
            await self._look_away()

    async def _follow(self, reader: asyncio.StreamReader) -> None:
        """Take what is told until nothing more comes."""
        async for line in reader:
            try:
                told = told_in(line)
            except msgspec.MsgspecError as error:
                _log.warning("not understood: %s: %s", error, clean(line.decode("utf-8", "backslashreplace")))
                continue
            if isinstance(told, Hello):
                self._greeted(told)
            elif isinstance(told, Answer):
                waiting = self._answers.get(told.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(told)
            elif told is not None:
                if isinstance(told, ServiceChanged):
                    self._services[told.name] = told
                self._told = True
                self._emit(told)
                if isinstance(told, StackPhase) and told.phase in _ANSWERING:
                    self._read()

    def _greeted(self, hello: Hello) -> None:
        self._hello = hello
        self.settings = merged(self._own, hello)
        self._desk = Desk(self.settings)
        self._emit(SymbolsWanted(hello.wanted, now_ms(), hello.known))
        if hello.version != __version__:
            words = f"the instance is version {clean(hello.version, 40)}, this is {__version__}: not all may be told"
            self._emit(ChildReport("attach", LogLine(level="WARNING", time=now_ms(), message=words)))

    def _read(self) -> None:
        """Begin to read from Kafka, once."""
        if self._reader is not None:
            return
        loop = asyncio.get_running_loop()

        def emit(event: Read) -> None:
            loop.call_soon_threadsafe(self._heard, reader, event)

        reader = self._reader = Reader(self.settings, emit)
        reader.start()
        if self.settings.clickhouse_url:
            self._history = loop.create_task(read_history(self.settings, self._emit), name="history")

    def _heard(self, reader: Reader, event: Read) -> None:
        if reader is self._reader:  # what a reader that was left still says is of another connection
            self._emit(event)

    async def _look_away(self) -> None:
        """Let go of the connection and of Kafka."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(Answer(0, ENDED))
        if self._history is not None:
            self._history.cancel()
            self._history = None
        reader, self._reader = self._reader, None
        if reader is not None:
            await asyncio.to_thread(reader.stop)

    def _tell_end(self) -> None:
        """Say that nobody is there, and that nothing of what was told last is so any more."""
        now = now_ms()
        self._desk = None
        for service in self._services.values():
            if service.state not in (ServiceState.STOPPED, ServiceState.FAILED):
                gone = replace(
                    service, state=ServiceState.STOPPED, time=now, since=now, pid=None, memory=None, retry_at=None
                )
                self._emit(gone)
        self._emit(ReaderTrouble(now, ENDED))
        self._emit(StackPhase("stopped", now, ENDED))
