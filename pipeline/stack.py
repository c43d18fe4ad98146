"""The stack, as an application holds it: one home, one feed, one run at a time. Only this file knows the profiles."""

import asyncio
import logging
import os
from collections.abc import Callable
from importlib import import_module
from typing import IO, TYPE_CHECKING

from pipeline import __version__, choice
from pipeline.attach.addresses import addresses_of
from pipeline.attach.broadcast import Broadcast
from pipeline.attach.lines import AnyOrder, AskFrame, Hello, Restart, Retry, SetSymbols, StartService, StopService
from pipeline.child import now_ms
from pipeline.events import Command, StackEvent, StackPhase
from pipeline.home import Home, HomeInUseError, WrongFeedError
from pipeline.ledger import Stored
from pipeline.logs import log_to
from pipeline.settings import LIVE, SIMULATED, Settings
from pipeline.text import clean

if TYPE_CHECKING:
    from pipeline.completion import Ranges
    from pipeline.desk import Desk
    from pipeline.run import Run

_log = logging.getLogger(__name__)


class Stack:
    """``open`` takes the home, ``start`` returns at once and all else rises as events, ``stop`` ends every process,
    ``close`` lets the home go. Coroutines belong to one event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        """As chosen; the addresses of servers that are started here are not in them."""
        self._given = "symbols" in settings.model_fields_set
        """Whether the symbols were named (flag, environment, ``.env``): then no earlier choice counts."""
        self._known = settings.symbols
        self._keeping = asyncio.Lock()
        self._lock: IO[str] | None = None
        self._run: Run | None = None
        self._broadcast: Broadcast | None = None

    @property
    def feed(self) -> str:
        """What is streamed, for a person: ``live``, ``simulated`` or ``replay of <file>``."""
        recording = self.settings.recording
        return f"replay of {recording.name}" if recording else self.settings.feed

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have a digit, in order; which of them are streamed is the producer's to report."""
        return self._known if self._run is None else self._run.known

    @property
    def desk(self) -> "Desk | None":
        """Questions to the servers; None before ``start`` and after ``stop``."""
        return None if self._run is None else self._run.desk

    def open(self) -> None:
        """Take the home for this process.

        Raises:
            HomeInUseError: another instance runs in it.
            WrongFeedError: it holds trades of another kind of feed.
            OSError: its folders cannot be made.
        """
        home = Home(self.settings.home)
        home.create()
        self._lock = home.lock()
        try:
            home.claim(self.settings.feed_kind)
        except WrongFeedError:
            self.close()
            raise
        log_to(home.logs / "application.log")
        self._choose(home)

    def close(self) -> None:
        """Let the home go."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _choose(self, home: Home) -> None:
        """Take up the choice of symbols that was kept in this home. A recording has its own symbols."""
        kept = None if self._given or self.settings.recording else choice.read(home.symbols)
        if kept is not None:
            self._known = kept.known
            self.settings = self.settings.model_copy(update={"symbols": kept.on})

    async def start(self, emit: Callable[[StackEvent], None]) -> None:
        """Begin to start everything; returns at once. ``emit`` is called in this event loop and must not block.

        Raises:
            OSError: no free port was found.
        """
        self._emit = emit
        home = Home(self.settings.home)
        # What runs the pipeline takes longer to import than a screen to appear, and that waits for nothing.
        await asyncio.to_thread(import_module, "pipeline.run")
        from pipeline.run import Run
        from pipeline.servers import LocalServers, OwnServers

        servers = LocalServers(self.settings, home) if self.settings.profile == "local" else OwnServers()
        broadcast = Broadcast(home, self._hello, self._obey)

        def tell(event: StackEvent) -> None:
            emit(event)
            broadcast.publish(event)

        self._run = Run(self.settings, home, servers, tell)
        self._run.know(self._known)
        try:
            await broadcast.open()
            self._broadcast = broadcast
        except OSError as error:  # a pipeline that cannot be watched is better than none
            _log.error("nobody can attach: %s", error)
        self._run.start()

    async def stop(self) -> None:
        """Stop everything in order, flushing first; returns when no process is left."""
        if self._run is not None:
            await self._run.stop()
            self._known = self._run.known
            self.settings = self.settings.model_copy(update={"symbols": self._run.wanted})  # for a run that follows
            self._run = None
        if self._broadcast is not None:
            self._broadcast.close()
            self._broadcast = None

    async def retry(self) -> None:
        """Try again what failed: start-up steps, services that were given up, the connection to the exchange."""
        if self._run is not None:
            await self._run.retry()

    async def restart(self, service: str) -> None:
        """Stop one service and start it again."""
        if self._run is not None:
            await self._run.restart(service)

    async def stop_service(self, service: str) -> None:
        """Stop one service; it stays stopped until somebody starts it."""
        if self._run is not None:
            await self._run.stop_service(service)

    async def start_service(self, service: str) -> None:
        """Start one service that was stopped."""
        if self._run is not None:
            await self._run.start_service(service)

    async def set_symbols(self, symbols: tuple[str, ...], known: tuple[str, ...] = ()) -> None:
        """Stream exactly these symbols from now on, and keep that for the next start.

        ``known`` are all that have a digit, in order; without it those of before, and what is new after them.

        Raises:
            OSError: the choice cannot be kept; it holds for this run.
        """
        if self._run is None:
            return
        self._run.set_symbols(symbols, known)
        if self.settings.recording is None:
            async with self._keeping:  # one after the other: the last one counts
                kept = choice.Choice(self._run.known, self._run.wanted)
                await asyncio.to_thread(choice.write, Home(self.settings.home).symbols, kept)

    async def ask_frame(self, symbol: str, trade_id: int) -> None:
        """Have the producer tell a trade's raw frame; the answer comes as an event (``FrameFound``).

        Raises:
            RuntimeError: the producer does not run.
        """
        if not self.send("producer", Command(frame=(symbol, trade_id))):
            raise RuntimeError("the producer does not run")

    async def use_simulated(self) -> None:
        """Stop, and start again with the simulated exchange, in a home of its own. Only ever a person's choice."""
        await self.stop()
        self.close()
        home = self.settings.home
        name = SIMULATED if home.name == LIVE else f"{home.name}-{SIMULATED}"
        self.settings = self.settings.model_copy(update={"feed": SIMULATED, "home": home.with_name(name)})
        try:
            self.open()
            await self.start(self._emit)
        except (HomeInUseError, WrongFeedError, OSError) as error:
            self._emit(StackPhase("failed", now_ms(), clean(str(error))))

    def _hello(self) -> Hello:
        """Say to somebody who attaches what runs here."""
        assert self._run is not None, "the socket is served while a run lives"
        return Hello(
            version=__version__,
            pid=os.getpid(),
            feed=self.feed,
            feed_setting=self.settings.feed,
            known=self.symbols,
            wanted=self._run.wanted,
            addresses=addresses_of(self._run.desk.settings),
        )

    async def _obey(self, order: AnyOrder) -> None:
        """Do what somebody who is attached asks for."""
        match order:
            case Retry():
                await self.retry()
            case Restart():
                await self.restart(order.service)
            case StopService():
                await self.stop_service(order.service)
            case StartService():
                await self.start_service(order.service)
            case SetSymbols():
                await self.set_symbols(order.symbols, order.known)
            case AskFrame():
                await self.ask_frame(order.symbol, order.trade_id)

    def send(self, service: str, command: Command) -> bool:
        """Send a command to a child; False where it does not run."""
        return self._run is not None and self._run.send(service, command)

    async def audit(self, accepted: "Ranges") -> Stored:
        """Look up in the store what is there of the accepted trades, and whether the windows agree with them.

        Raises:
            ClickHouseError: the store does not answer.
        """
        assert self._run is not None, "start comes first"
        return await self._run.audit(accepted)
