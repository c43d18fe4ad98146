"""What the health pane is told, and services stopped by hand, on the real local servers."""

import asyncio
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pipeline.events import ServiceChanged, StackEvent, StackPhase, TradesRead
from pipeline.inventory import EngineSeen, GroupsSeen, RegistrySeen, StoreSeen, TopicsSeen
from pipeline.model import DLQ_TOPICS, TRADE_TOPIC, WINDOW_TOPICS, ServiceState
from pipeline.settings import Settings
from pipeline.stack import Stack
from tests.stack.application import leftovers

E = TypeVar("E")


class Story:
    """A running stack and everything it said."""

    def __init__(self, home: Path) -> None:
        self.stack = Stack(Settings.load({"home": home, "feed": "simulated"}, None))
        self.events: list[StackEvent] = []
        self._came = asyncio.Event()

    def emit(self, event: StackEvent) -> None:
        self.events.append(event)
        self._came.set()

    async def until(self, kind: type[E], holds: Callable[[E], bool] = lambda _: True, seconds: float = 60) -> E:
        """Return the first event of a kind that comes from now on and for which something holds."""
        seen = len(self.events)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for event in itertools.islice(self.events, seen, None):
                        if isinstance(event, kind) and holds(event):
                            return event
                    seen = len(self.events)
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            last = next((event for event in reversed(self.events) if isinstance(event, kind)), None)
            raise AssertionError(f"it did not come within {seconds} s; the last one was {last}") from None

    async def state(self, name: str, state: ServiceState) -> ServiceChanged:
        """Wait until a service is in a state."""
        return await self.until(ServiceChanged, lambda event: event.name == name and event.state is state)


async def test_the_inventory_is_true_and_a_service_stopped_by_hand_stays_stopped(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.stack.open()
    await story.stack.start(story.emit)
    try:
        await story.until(StackPhase, lambda event: event.phase == "running", 150)
        await inventory_is_true(story)
        await clickhouse_stopped_by_hand(story)
        await producer_stopped_by_hand(story)
    finally:
        await story.stack.stop()
        story.stack.close()
    assert leftovers(tmp_path) == []


async def inventory_is_true(story: Story) -> None:
    """Topics, groups, subjects, tables and engines say what the pipeline did."""
    topics = await story.until(TopicsSeen, lambda seen: any(topic.rate for topic in seen.topics))
    assert (topics.error, topics.config_error, topics.offsets_error) == (None, None, None)
    by_name = {topic.name: topic for topic in topics.topics}
    assert {TRADE_TOPIC, *WINDOW_TOPICS.values(), *DLQ_TOPICS} <= by_name.keys()
    trades = by_name[TRADE_TOPIC]
    assert trades.messages
    assert (trades.replicas, trades.under_replicated) == (3, 0)
    assert trades.config is not None
    assert (trades.config["retention.ms"], trades.config["min.insync.replicas"]) == ("-1", "2")

    groups = await story.until(
        GroupsSeen,
        lambda seen: {"cryptostreamx-sink", "cryptostreamx-windows"} <= {group.name for group in seen.groups},
    )
    sink = next(group for group in groups.groups if group.name == "cryptostreamx-sink")
    assert (sink.error, sink.state) == (None, "STABLE")
    assert sink.members is not None
    assert (TRADE_TOPIC, 0) in sink.members[0].partitions
    lag = next(lag for lag in sink.lags or () if lag.topic == TRADE_TOPIC)
    assert lag.committed is not None
    assert lag.lag is not None

    registry = await story.until(RegistrySeen)
    assert (registry.error, registry.compatibility) == (None, "BACKWARD")
    assert [subject.name for subject in registry.subjects] == sorted(
        f"{topic}-value" for topic in (TRADE_TOPIC, *WINDOW_TOPICS.values())
    )
    assert all(
        subject.error is None and "trade_count" in subject.versions[-1].text for subject in registry.subjects[1:]
    )

    store = await story.until(StoreSeen, lambda seen: any(table.rows for table in seen.tables))
    table = next(table for table in store.tables if table.name == TRADE_TOPIC)
    assert store.error is None
    assert table.parts
    insert_lag = table.lag(store.time)
    assert insert_lag is not None
    assert insert_lag < 30_000

    engines = [await story.until(EngineSeen, lambda seen, name=name: seen.name == name) for name in ("windows", "sink")]  # type: ignore[misc]
    assert [engine.state for engine in engines] == ["running", "running"]
    assert all(engine.records for engine in engines)


async def clickhouse_stopped_by_hand(story: Story) -> None:
    """The store is away: it is said, the sink waits, and everything follows when it is back."""
    begin = time.monotonic()
    await story.stack.stop_service("clickhouse")
    stopped = [event for event in story.events if isinstance(event, ServiceChanged) and event.name == "clickhouse"][-1]
    assert (stopped.state, stopped.last_error) == (ServiceState.STOPPED, None), "stopped, not failed"
    away = await story.until(StoreSeen, lambda seen: seen.error is not None)
    assert away.error == "ClickHouse does not answer: Connection refused"
    waiting = await story.until(EngineSeen, lambda seen: seen.name == "sink" and seen.state == "waiting")
    assert waiting.error
    await story.stack.retry()
    await story.until(TradesRead)
    of_it = [event.state for event in story.events if isinstance(event, ServiceChanged) and event.name == "clickhouse"]
    assert of_it[-1] is ServiceState.STOPPED, "what failed is tried again; what a person stopped is not"
    starting = asyncio.create_task(story.state("clickhouse", ServiceState.READY))
    await asyncio.sleep(0)
    await story.stack.start_service("clickhouse")
    await starting
    back = await story.until(EngineSeen, lambda seen: seen.name == "sink" and seen.state == "running")
    assert back.error is None
    rows = {table.name: table.rows for table in (await story.until(StoreSeen, lambda seen: seen.error is None)).tables}
    assert rows[TRADE_TOPIC]
    phases = {event.phase for event in story.events if isinstance(event, StackPhase)}
    assert "failed" not in phases
    print(f"\nClickHouse stopped by hand, started, caught up: {time.monotonic() - begin:.1f} s")  # noqa: T201 - measured


async def producer_stopped_by_hand(story: Story) -> None:
    """No trades while it is stopped; nobody starts it again but a person."""
    await story.stack.stop_service("producer")
    still = await story.until(TopicsSeen, lambda seen: {t.name: t.rate for t in seen.topics}[TRADE_TOPIC] == 0)
    assert still.error is None
    starting = asyncio.create_task(story.state("producer", ServiceState.READY))
    await asyncio.sleep(0)
    await story.stack.start_service("producer")
    await starting
    await story.until(TopicsSeen, lambda seen: bool({t.name: t.rate for t in seen.topics}[TRADE_TOPIC]))
    of_it = [event for event in story.events if isinstance(event, ServiceChanged) and event.name == "producer"]
    assert (of_it[-1].restarts, of_it[-1].last_error) == (0, None)
