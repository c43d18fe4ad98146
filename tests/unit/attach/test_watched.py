"""A watcher and an instance on a real socket: it sees all, orders, is told of the end, and finds the next instance."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import __version__
from pipeline.attach import watched as module
from pipeline.attach.broadcast import Broadcast
from pipeline.attach.lines import AnyOrder, Hello, Restart, Retry, SetSymbols, StartService, StopService
from pipeline.attach.watched import ENDED, AttachedStack, NotRunningError, OrderError
from pipeline.events import (
    ChildReport,
    HistoryRead,
    ReaderTrouble,
    ServiceChanged,
    StackEvent,
    StackPhase,
    SymbolsWanted,
    TradesRead,
)
from pipeline.home import Home
from pipeline.model import ServiceState
from pipeline.settings import Settings
from tests.tui import fakes
from tests.tui.fakes import NOON

SECONDS = 5
KAFKA = "127.0.0.1:19092"


class QuietReader:
    """Stands for the reading from Kafka: notes what it was made with."""

    made: list["QuietReader"] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, settings: Settings, emit: Callable[[Any], None]) -> None:
        self.settings, self.emit = settings, emit
        self.running = False
        self.made.append(self)

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False


async def no_history(settings: Settings, emit: Callable[[StackEvent], None]) -> None:
    """Stands for the question to ClickHouse."""
    emit(HistoryRead((), (), NOON))


class Instance:
    """What runs in the home."""

    def __init__(self, home: Home) -> None:
        self.asked: list[AnyOrder] = []
        self.version = __version__
        self.broadcast = Broadcast(home, self.hello, self.obey)
        self.publish = self.broadcast.publish
        self.publish(StackPhase("starting", NOON))
        self.publish(fakes.service("kafka-0", NOON))

    def hello(self) -> Hello:
        return Hello(
            version=self.version,
            pid=1,
            feed="replay of x.frames",
            feed_setting="/tmp/x.frames",
            known=("A", "B"),
            wanted=("B",),
            addresses={"kafka_bootstrap_servers": KAFKA, "clickhouse_url": "http://127.0.0.1:9"},
        )

    async def obey(self, order: AnyOrder) -> None:
        self.asked.append(order)
        if isinstance(order, Restart):
            raise KeyError(order.service)


class Watching:
    """An attached stack and what it emitted."""

    def __init__(self, path: Path) -> None:
        self.stack = AttachedStack(Settings.load({"home": path, "attach": True}, env_file=None))
        self.events: list[StackEvent] = []
        self._changed = asyncio.Event()

    def emit(self, event: StackEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, wanted: Callable[[StackEvent], bool]) -> StackEvent:
        """Wait for an event; events before it are forgotten."""
        async with asyncio.timeout(SECONDS):
            while True:
                for index, event in enumerate(self.events):
                    if wanted(event):
                        del self.events[: index + 1]
                        return event
                await self.change()

    async def change(self) -> None:
        """Wait for the next event."""
        self._changed.clear()
        await self._changed.wait()

    def saw(self, phase: str) -> bool:
        """Whether a phase is among the events that are not forgotten."""
        return any(isinstance(event, StackPhase) and event.phase == phase for event in self.events)

    async def phase(self, name: str) -> StackPhase:
        event = await self.until(lambda e: isinstance(e, StackPhase) and e.phase == name)
        assert isinstance(event, StackPhase)
        return event


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    QuietReader.made.clear()
    monkeypatch.setattr(module, "Reader", QuietReader)
    monkeypatch.setattr(module, "read_history", no_history)
    monkeypatch.setattr(module, "AGAIN_S", 0.02)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "h")
    made.create()
    return made


@pytest.fixture
async def instance(home: Home) -> AsyncIterator[Instance]:
    made = Instance(home)
    await made.broadcast.open()
    yield made
    made.broadcast.close()


@pytest.fixture
async def watching(home: Home, instance: Instance) -> AsyncIterator[Watching]:
    made = Watching(home.path)
    await asyncio.to_thread(made.stack.open)
    await made.stack.start(made.emit)
    yield made
    await made.stack.stop()


def is_service(name: str, state: ServiceState) -> Callable[[StackEvent], bool]:
    return lambda event: isinstance(event, ServiceChanged) and (event.name, event.state) == (name, state)


async def test_without_an_instance_it_says_so(home: Home) -> None:
    with pytest.raises(NotRunningError, match="no instance runs in"):
        Watching(home.path).stack.open()


async def test_something_else_behind_the_socket_is_no_instance(home: Home) -> None:
    async def other(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\n")
        writer.close()

    async with await asyncio.start_unix_server(other, home.run / "tui.sock"):
        with pytest.raises(NotRunningError):
            await asyncio.to_thread(Watching(home.path).stack.open)


async def test_it_knows_feed_symbols_and_addresses_before_it_starts(home: Home, instance: Instance) -> None:
    stack = Watching(home.path).stack
    unknown = stack.desk
    assert unknown is None
    await asyncio.to_thread(stack.open)
    assert stack.feed == "replay of x.frames"
    assert stack.symbols == ("A", "B")
    assert stack.settings.symbols == ("B",)
    assert stack.settings.kafka_bootstrap_servers == KAFKA
    assert stack.settings.attach
    assert stack.desk is not None
    assert stack.desk.settings is stack.settings


async def test_it_sees_what_happens_and_reads_kafka_itself(instance: Instance, watching: Watching) -> None:
    wanted = await watching.until(lambda event: isinstance(event, SymbolsWanted))
    assert isinstance(wanted, SymbolsWanted)
    assert (wanted.symbols, wanted.known) == (("B",), ("A", "B"))
    await watching.until(is_service("kafka-0", ServiceState.READY))
    assert QuietReader.made == []  # nothing to read while the pipeline starts
    instance.publish(StackPhase("running", NOON))
    instance.publish(StackPhase("running", NOON))
    await watching.phase("running")
    await watching.phase("running")
    (reader,) = QuietReader.made
    assert reader.running
    assert reader.settings.kafka_bootstrap_servers == KAFKA
    batch = fakes.trades(3, NOON)
    reader.emit(batch)
    assert await watching.until(lambda event: event is batch) is batch


async def test_the_windows_of_before_are_asked_for_once(instance: Instance, watching: Watching) -> None:
    await watching.phase("starting")  # from now on it is told all, not only the last
    for number in range(3):
        instance.publish(StackPhase("running", NOON + number))
    instance.publish(StackPhase("stopping", NOON))
    async with asyncio.timeout(SECONDS):
        while not [e for e in watching.events if isinstance(e, HistoryRead)] or not watching.saw("stopping"):
            await watching.change()
    assert [e for e in watching.events if isinstance(e, HistoryRead)] == [HistoryRead((), (), NOON)]


async def test_orders_go_to_the_instance(instance: Instance, watching: Watching) -> None:
    await watching.phase("starting")
    stack = watching.stack
    await stack.retry()
    await stack.set_symbols(("A", "B"))
    await stack.stop_service("sink")
    await stack.start_service("sink")
    with pytest.raises(OrderError, match="nobody"):
        await stack.restart("nobody")
    with pytest.raises(OrderError, match="cannot change its feed"):
        await stack.use_simulated()
    assert instance.asked == [
        Retry(number=1),
        SetSymbols(number=2, symbols=("A", "B")),
        StopService(number=3, service="sink"),
        StartService(number=4, service="sink"),
        Restart(number=5, service="nobody"),
    ]


async def test_the_end_is_said_and_nothing_looks_alive(instance: Instance, watching: Watching) -> None:
    instance.publish(StackPhase("running", NOON))
    await watching.phase("running")
    (reader,) = QuietReader.made
    instance.broadcast.close()
    gone = await watching.until(is_service("kafka-0", ServiceState.STOPPED))
    assert isinstance(gone, ServiceChanged)
    assert gone.pid is None
    assert gone.memory is None
    trouble = await watching.until(lambda event: isinstance(event, ReaderTrouble))
    assert isinstance(trouble, ReaderTrouble)
    assert trouble.message == ENDED
    assert (await watching.phase("stopped")).detail == ENDED
    assert not reader.running
    reader.emit(fakes.trades(1, NOON))  # what it still says is not heard
    with pytest.raises(OrderError, match="has ended"):
        await watching.stack.retry()
    assert watching.stack.desk is None
    assert not [event for event in watching.events if isinstance(event, TradesRead)]


async def test_an_order_under_way_is_answered_by_the_end(instance: Instance, watching: Watching) -> None:
    await watching.phase("starting")

    async def never(order: AnyOrder) -> None:
        instance.broadcast.close()
        await asyncio.Event().wait()

    instance.broadcast._obey = never
    with pytest.raises(OrderError, match="has ended"):
        await watching.stack.restart("sink")


async def test_the_next_instance_is_watched(home: Home, instance: Instance, watching: Watching) -> None:
    await watching.phase("starting")
    instance.broadcast.close()
    await watching.phase("stopped")
    following = Instance(home)
    following.publish(StackPhase("running", NOON))
    await following.broadcast.open()
    try:
        # The state is cleared by a beginning that comes after an end.
        await watching.phase("stopped")
        await watching.phase("starting")
        await watching.phase("running")
        assert watching.stack.desk is not None
        assert [reader.running for reader in QuietReader.made] == [True]
    finally:
        following.broadcast.close()


async def test_who_was_cut_off_comes_again_and_nothing_stands_twice(instance: Instance, watching: Watching) -> None:
    instance.publish(StackPhase("running", NOON))
    await watching.phase("running")
    for watcher in tuple(instance.broadcast._watchers):
        watcher.cut("for this test")
    assert "made again" in (await watching.phase("stopped")).detail
    await watching.phase("starting")
    await watching.phase("running")
    assert [reader.running for reader in QuietReader.made] == [False, True]


async def test_another_version_is_named(home: Home) -> None:
    instance = Instance(home)
    instance.version = "9.9\x1b[31m"
    await instance.broadcast.open()
    watching = Watching(home.path)
    await watching.stack.start(watching.emit)
    try:
        report = await watching.until(lambda event: isinstance(event, ChildReport))
        assert isinstance(report, ChildReport)
        assert "9.9\\x1b[31m" in report.event.message  # type: ignore[union-attr]
    finally:
        await watching.stack.stop()
        instance.broadcast.close()


async def test_to_look_away_stops_nothing(instance: Instance, home: Home) -> None:
    watching = Watching(home.path)
    await watching.stack.start(watching.emit)
    instance.publish(StackPhase("running", NOON))
    await watching.phase("running")
    await watching.stack.stop()
    assert instance.asked == []
    assert [reader.running for reader in QuietReader.made] == [False]
    again = Watching(home.path)
    await asyncio.to_thread(again.stack.open)
    assert again.stack.feed == "replay of x.frames"
