"""The log: from a level on, with some words, opened, exported."""

import csv
from pathlib import Path

from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.panes.logs import LogRows
from cryptostreamx_tui.screens.detail import DetailScreen
from pipeline.events import ChildReport, LogLine, StackEvent
from tests.tui import fakes
from tests.tui.fakes import NOON, application, pressed, tell
from tests.tui.test_hostile import HOSTILE, harmless
from tests.tui.test_messages import press


def line(level: str, message: str, service: str = "producer", **more: str) -> StackEvent:
    return ChildReport(service, LogLine(level=level, time=NOON, message=message, **more))


LINES = [
    line("WARNING", "p is no plain decimal", reason="bad_number", symbol="BTCUSDT"),
    line("ERROR", "Kafka: all brokers are down"),
    line("WARNING", "waiting: ClickHouse is away", "sink"),
    line("CRITICAL", "cannot go on", "sink"),
]


def messages(app: CryptoStreamX) -> list[str]:
    rows = app.screen.query_one(LogRows)
    return [rows.item(index).message for index in range(rows.total())]


async def test_from_a_level_on_with_some_words() -> None:
    pressed("log", "level")
    app, _, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), *LINES)
        assert len(messages(app)) == 4
        shown = await press(app, pilot, "l", "v")
        assert messages(app) == ["cannot go on", "Kafka: all brokers are down"]
        assert "2 shown · errors and worse" in shown
        await press(app, pilot, "slash", "'SINK", "enter")
        assert messages(app) == ["cannot go on"], "the level stays"
        await press(app, pilot, "v")
        assert messages(app) == ["cannot go on"]
        await press(app, pilot, "v")
        assert messages(app) == ["cannot go on", "waiting: ClickHouse is away"], "the words stay"
        await tell(app, pilot, line("WARNING", "another", "sink"), line("ERROR", "not of it"))
        assert messages(app)[0] == "another"
        shown = await press(app, pilot, "slash", "'x", "'nothing")
        assert "no line matches" in shown
        await press(app, pilot, "escape")
        assert len(messages(app)) == 6
        await press(app, pilot, "slash", "'bad_number btcusdt", "enter")
        assert messages(app) == ["p is no plain decimal"]


async def test_a_line_opens_and_the_list_is_exported(tmp_path: Path) -> None:
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), *LINES)
        await press(app, pilot, "l", "v", "down", "down")
        shown = await press(app, pilot, "enter")
        assert isinstance(app.screen, DetailScreen)
        assert "Kafka: all brokers are down" in shown
        assert "logs/producer.log" in shown
        await press(app, pilot, "escape", "e", "enter")
    (path,) = (tmp_path / "exports").glob("log-*.csv")
    rows = list(csv.DictReader(path.open()))
    assert [(row["level"], row["service"], row["message"]) for row in rows] == [
        ("CRITICAL", "sink", "cannot go on"),
        ("ERROR", "producer", "Kafka: all brokers are down"),
    ]


async def test_an_empty_log_says_so_and_exports_nothing() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        shown = await press(app, pilot, "l")
        assert "no warnings, no errors" in shown
        shown = await press(app, pilot, "e")
        assert "there is nothing to export" in shown


async def test_hostile_lines() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(
            app,
            pilot,
            *fakes.streaming(NOON),
            ChildReport(HOSTILE, LogLine(level=HOSTILE, time=NOON, message=HOSTILE * 20_000, reason=HOSTILE)),
        )
        for keys in (("l", "down"), ("y",), ("enter",), ("escape", "slash", "'evil"), ("enter", "v")):
            assert harmless(await press(app, pilot, *keys))
        assert harmless(app.clipboard.replace("\n", "").replace("\t", ""))
