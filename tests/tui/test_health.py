"""The health pane: its views, what is asked before something is stopped, what is told when a look failed."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.panes.health import HealthPane
from cryptostreamx_tui.panes.health.view import Listing, ViewBar
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.widgets.page import Page
from pipeline.inventory import (
    EngineSeen,
    GroupsSeen,
    GroupView,
    LagView,
    MemberView,
    RegistrySeen,
    StoreSeen,
    SubjectView,
    TableView,
    TaskView,
    TopicsSeen,
    TopicView,
    VersionView,
)
from pipeline.model import ServiceState
from tests.tui import fakes, health_fakes
from tests.tui.fakes import NOON, application, pressed, tell, text_of
from tests.tui.test_hostile import HOSTILE, harmless

VIEWS = ("services", "stages", "brokers", "topics", "groups", "registry", "engines", "tables")


async def settled(app: CryptoStreamX, pilot: Pilot[int]) -> str:
    """Wait until another frame changes nothing; return the screen."""
    before, shown = "", text_of(app)
    while shown != before:
        await tell(app, pilot)
        before, shown = shown, text_of(app)
    return shown


async def opened(app: CryptoStreamX, pilot: Pilot[int], view: str = "services") -> HealthPane:
    """Go to a view of the pane, everything being well."""
    await tell(app, pilot, *fakes.streaming(NOON), *health_fakes.inventory(NOON))
    await pilot.press("h", *["v"] * VIEWS.index(view))
    await settled(app, pilot)
    pane = app.screen.query_one(HealthPane)
    assert pane.here == view
    return pane


def faded(pane: HealthPane) -> bool:
    """Whether the current list is dimmed."""
    return isinstance(pane.view, Listing) and pane.view.faded


async def opened_detail(app: CryptoStreamX, pilot: Pilot[int]) -> str:
    """Open the first row; return the page."""
    await pilot.press("down", "enter")
    await app.workers.wait_for_complete()
    await tell(app, pilot)
    assert isinstance(app.screen, DetailScreen)
    return app.screen.query_one(Page).text()


async def test_every_view_comes_into_sight_forwards_and_backwards() -> None:
    pressed("health", "next_view", "previous_view")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(app, pilot)
        for step in (*["v"] * len(VIEWS), *["V"] * len(VIEWS)):
            await pilot.press(step)
            await tell(app, pilot)
            view = pane.view
            assert view.has_focus
            assert view.size.height >= 2
            assert view.heading in text_of(app)
        assert pane.here == "services"
        await pilot.press("V")
        assert pane.here == "tables", "before the first comes the last"


async def test_a_click_on_a_name_shows_that_view() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(app, pilot)
        bar = app.screen.query_one(ViewBar)
        for name in ("groups", "services", "tables"):
            at = text_of(app).splitlines()[bar.region.y].index(name)
            await pilot.click(bar, offset=(at - bar.region.x + 1, 0))
            await tell(app, pilot)
            assert pane.here == name
            assert pane.view.has_focus


@pytest.mark.parametrize(("size", "least"), [((80, 24), 2), ((120, 40), 4), ((200, 60), 4)])
async def test_as_many_views_as_there_is_room_for(size: tuple[int, int], least: int) -> None:
    app, _, _ = application()
    async with app.run_test(size=size) as pilot:
        pane = await opened(app, pilot)
        assert len(pane.stops) >= least
        await pilot.resize_terminal(80, 24)
        await settled(app, pilot)
        assert len(pane.stops) == 2
        assert pane.view in pane.stops


async def test_maximised_on_a_large_screen_everything_is_in_sight() -> None:
    app, _, _ = application()
    async with app.run_test(size=(200, 60)) as pilot:
        pane = await opened(app, pilot)
        await pilot.press("m")
        await settled(app, pilot)
        assert len(pane.stops) == len(VIEWS)


async def test_stop_asks_says_what_it_interrupts_and_start_does_not_ask() -> None:
    pressed("health", "stop_or_start")
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("end", "up", "up", "S")
        await settled(app, pilot)
        assert isinstance(app.screen, ConfirmScreen)
        asked = " ".join(text_of(app).split())
        assert "Stop producer until you start it again?" in asked
        assert "the outage will be a gap" in asked
        await pilot.press("n")
        await tell(app, pilot)
        assert stack.asked == [("start", None)]
        assert "producer was left alone" in text_of(app)
        await pilot.press("S", "y")
        await tell(app, pilot, fakes.service("producer", NOON, ServiceState.STOPPED))
        assert stack.last() == ("stop_service", "producer")
        assert "○ stopped" in text_of(app)
        assert "FAILED" not in text_of(app)
        await pilot.press("S")
        await tell(app, pilot)
        assert stack.last() == ("start_service", "producer")
        assert "starting producer" in text_of(app)


async def test_a_service_that_was_given_up_is_started_not_stopped() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await tell(app, pilot, fakes.service("zookeeper", NOON, ServiceState.FAILED, last_error="x"))
        await pilot.press("S")
        await tell(app, pilot)
        assert stack.last() == ("start_service", "zookeeper")


async def test_restart_asks_and_says_what_it_interrupts() -> None:
    pressed("health", "restart")
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "down", "R")
        await tell(app, pilot)
        assert "2 other brokers stay up" in " ".join(text_of(app).split())
        await pilot.press("n", "R", "y")
        await tell(app, pilot)
        assert stack.asked == [("start", None), ("restart", "kafka-0")]


async def test_a_command_that_fails_is_told() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        stack.error = TimeoutError("still there")
        await pilot.press("down", "S", "y")
        await tell(app, pilot)
        assert "could not stop zookeeper: TimeoutError: still there" in app.state.log.newest(0).message


@pytest.mark.parametrize(
    ("view", "service"),
    [("brokers", "kafka-0"), ("registry", "schema-registry"), ("engines", "windows"), ("tables", "clickhouse")],
)
async def test_a_row_of_another_view_stands_for_its_service(view: str, service: str) -> None:
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, view)
        await pilot.press("R", "y")
        await tell(app, pilot)
        assert stack.last() == ("restart", service)


@pytest.mark.parametrize("view", ["topics", "groups", "stages"])
async def test_where_there_is_no_service_the_keys_are_off(view: str) -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot, view)
        assert "R restart" not in text_of(app)
        await pilot.press("R", "S")
        await tell(app, pilot)
        assert not isinstance(app.screen, ConfirmScreen)
        assert stack.asked == [("start", None)]


async def test_servers_of_ones_own_cannot_be_restarted() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, fakes.cluster(NOON), *health_fakes.inventory(NOON))
        await pilot.press("enter", "h", "v", "v", "R")
        await tell(app, pilot)
        assert not isinstance(app.screen, ConfirmScreen)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("brokers", ("Broker 0", "controller", "skew +0.0%")),
        ("topics", ("retention.ms", "leader 0 · replicas 0 1 2 · in sync 0 1 2", "cryptostreamx-sink")),
        ("groups", ("lag – · nothing committed", "binance_trade/0 binance_trade_agg_1m/0", "/127.0.0.1", "▁")),
        ("registry", ('      "name": "symbol"', "FULL", "Version 2 · id 4 · AVRO")),
        ("engines", ("Quix Streams", "windows of 1m", "24 emitted", "duplicates")),
        ("tables", ("insert lag", "402 ms", "61,120 in active parts")),
    ],
)
async def test_a_row_opens_with_everything_known(view: str, expected: tuple[str, ...]) -> None:
    app, _, _ = application()
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(app, pilot, view)
        page = await opened_detail(app, pilot)
        heading = text_of(app).splitlines()[0]
        assert [words for words in expected if words not in page + heading] == []


async def test_a_service_opens_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "zookeeper.log"
    log.write_text("older\n\x1b[31mERROR at the end[/b]\n", encoding="utf-8")
    app, _, _ = application()
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(app, pilot)
        await tell(app, pilot, fakes.service("zookeeper", NOON, log_path=str(log)))
        lines = (await opened_detail(app, pilot)).splitlines()
        at = next(index for index, line in enumerate(lines) if "its last 2 lines" in line)
        assert [line.strip() for line in lines[at + 1 : at + 3]] == ["\\x1b[31mERROR at the end[/b]", "older"]
        await pilot.press("escape")
        log.unlink()
        assert "cannot be read: [Errno 2]" in await opened_detail(app, pilot)


async def test_what_is_old_says_stale_and_what_failed_says_why_and_keeps_what_was_seen() -> None:
    app, _, clock = application()
    async with app.run_test(size=(120, 40)) as pilot:
        pane = await opened(app, pilot, "topics")
        assert "0s ago" in text_of(app)
        clock.forward(21_000)
        failed = NOON + 20_000
        await tell(
            app,
            pilot,
            TopicsSeen(failed, error="Timed out waiting for controller"),
            GroupsSeen(failed, error="no coordinator"),
            RegistrySeen(failed, error="Connection refused"),
        )
        shown = await settled(app, pilot)
        assert "STALE 21s" in shown
        assert "✗ Timed out waiting for controller" in shown
        assert "binance_trade_agg_1m" in shown
        assert "topics!" in shown
        assert faded(pane)
        await tell(app, pilot, health_fakes.topics(NOON + 21_000))
        assert "Timed out" not in text_of(app)
        assert not faded(pane)
        await pilot.press("v")
        shown = await settled(app, pilot)
        assert "✗ no coordinator" in shown
        assert "cryptostreamx-sink" in shown


async def test_settings_and_offsets_may_be_missing_by_themselves() -> None:
    app, _, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        pane = await opened(app, pilot, "topics")
        await tell(app, pilot, health_fakes.topics(NOON, config_error="no controller"))
        assert pane.view.trouble() == "settings: no controller"
        await tell(app, pilot, health_fakes.topics(NOON, config_error="x", offsets_error="leader 1 is away"))
        assert pane.view.trouble() == "offsets: leader 1 is away"
        unknown = replace(health_fakes.topic("mine", 5), config=None, rate=None)
        await tell(app, pilot, TopicsSeen(NOON, (unknown,)))
        row = next(line for line in text_of(app).splitlines() if "mine" in line)
        assert row.split()[1:] == ["5", "–", "1", "0", "3", "n/a", "–", "–", "–"], "unknown is never the default"


async def test_nothing_known_is_said_as_such() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, StoreSeen(NOON, error="ClickHouse does not answer: Connection refused"))
        await pilot.press("enter", "h")
        for _ in VIEWS:
            await tell(app, pilot)
            assert " 0 " not in text_of(app).split("Services")[-1].replace("lag 0", "")
            await pilot.press("v")
        await pilot.press("V")
        await tell(app, pilot)
        assert "ClickHouse does not answer: Connection refused" in text_of(app)
        assert "no table is known yet" in text_of(app)


async def test_an_engine_shows_its_services_state_and_its_own_age() -> None:
    app, _, clock = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot, "engines")
        await tell(app, pilot, *health_fakes.engines(NOON, waiting="Connection refused"))
        shown = text_of(app)
        assert "◆ waiting" in shown
        assert "Connection refused" in shown
        clock.forward(6_000)
        stopped = fakes.service("windows", NOON, ServiceState.STOPPED)
        await tell(app, pilot, stopped)
        shown = await settled(app, pilot)
        assert "○ stopped" in shown
        assert "STALE 6s" in shown


async def test_the_filter_narrows_every_list_and_the_cursor_stays_on_its_row() -> None:
    app, _, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        pane = await opened(app, pilot, "topics")
        view = pane.view
        assert isinstance(view, Listing)
        await pilot.press("down", "down", "down")
        assert view.label(view.selected) == "binance_trade_agg_5m"
        await tell(app, pilot, health_fakes.topics(NOON, health_fakes.topic("aaa", 1)))
        assert view.label(view.selected) == "binance_trade_agg_5m"
        assert view.cursor == 3
        await pilot.press("slash", *"dlq", "enter")
        await tell(app, pilot)
        assert [topic.name for topic in view.items()] == ["dlq-clickhouse", "dlq-producer"]
        assert pane.here == "topics"
        assert "cryptostreamx-sink" in await settled(app, pilot), "the other views are not filtered"
        await pilot.press("slash", *"zz")
        await settled(app, pilot)
        assert "nothing here has 'dlqzz' in its name" in text_of(app)
        await pilot.press("escape")
        await tell(app, pilot)
        assert view.total() == 7
        await pilot.press("slash", *"dlq", "enter", "v")
        await settled(app, pilot)
        assert (pane.here, view.total()) == ("groups", 7), "another view begins without a filter"


@pytest.mark.parametrize("view", [name for name in VIEWS if name != "stages"])
async def test_each_list_is_exported(view: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(app, pilot, view)
        await pilot.press("e")
        await tell(app, pilot)
        await pilot.press("down", "enter")
        await app.workers.wait_for_complete()
        (path,) = (tmp_path / "exports").iterdir()
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert rows
        assert isinstance(pane.view, Listing)
        assert all(tuple(row) == pane.view.fields for row in rows)
        if view == "groups":
            assert [row["lag"] for row in rows] == [36, None, 0], "unknown is null, not 0"


async def test_hostile_text_in_every_view() -> None:
    app, _, _ = application()
    long = HOSTILE + "x" * 1_000_000
    topic = TopicView(HOSTILE, health_fakes.topic("x", 1).partitions, 1.0, {HOSTILE: long, "retention.ms": HOSTILE})
    group = GroupView(
        HOSTILE,
        HOSTILE,
        (MemberView(HOSTILE, HOSTILE, long, ((HOSTILE, 0),), HOSTILE),),
        (LagView(HOSTILE, 0, 1, 2),),
        0,
        HOSTILE,
        long,
    )
    subject = SubjectView(HOSTILE, (VersionView(1, 1, long, HOSTILE), VersionView(2, 2, '"\\u202e"')), HOSTILE, long)
    task = TaskView(HOSTILE, HOSTILE, long, 1, HOSTILE)
    events: list[Any] = [
        fakes.service(HOSTILE, NOON, last_error=long, log_path=HOSTILE, address=HOSTILE),
        replace(fakes.cluster(NOON), brokers=(replace(fakes.cluster(NOON).brokers[0], host=HOSTILE),), error=long),
        TopicsSeen(NOON, (topic,), config_error=HOSTILE),
        GroupsSeen(NOON, (group,), long),
        RegistrySeen(NOON, HOSTILE, HOSTILE, (subject,), long),
        StoreSeen(NOON, HOSTILE, (TableView(HOSTILE, HOSTILE, 1, 1, 1, NOON, NOON, received=True),), long),
        EngineSeen(NOON, "sink", HOSTILE, HOSTILE, (task,), 1, 1, long, {HOSTILE: long}),
    ]
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *events)
        await pilot.press("enter", "h")
        pane = app.screen.query_one(HealthPane)
        for _ in VIEWS:
            await tell(app, pilot)
            assert harmless(text_of(app))
            assert "evil[/x]" in text_of(app)
            await pilot.press("down", "y")
            assert harmless(app.clipboard.replace("\n", "").replace("\t", ""))
            if pane.here == "services":
                await pilot.press("S")
                await tell(app, pilot)
                assert harmless(text_of(app))
                await pilot.press("n")
            if pane.here != "stages":
                assert harmless((await opened_detail(app, pilot)).replace("\n", ""))
                assert harmless(text_of(app))
                await pilot.press("escape")
            await pilot.press("v")


async def test_a_slow_log_does_not_hold_the_screen_up(monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = asyncio.Event()
    app, _, _ = application()

    async def slow(*_: object) -> object:
        await may_go_on.wait()
        return health.last_lines(None)

    from cryptostreamx_tui.panes.health import services as health

    monkeypatch.setattr("cryptostreamx_tui.panes.health.services.asyncio.to_thread", slow)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(app, pilot)
        await pilot.press("down", "enter", "v")
        await tell(app, pilot)
        assert pane.here == "stages"
        may_go_on.set()
        monkeypatch.undo()
        await app.workers.wait_for_complete()
        await tell(app, pilot)
        assert isinstance(app.screen, DetailScreen)
