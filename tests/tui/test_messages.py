"""The messages pane: every key, what it shows while it waits, what it says when nothing answers."""

import asyncio
import csv
import json
from pathlib import Path

from textual.pilot import Pilot

from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.panes.messages import MessagesPane
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.records import RecordRows
from pipeline.broker.messages import Question
from pipeline.broker.ranges import BrowseError
from pipeline.broker.start import Beginning, End, Offset, Time
from tests.tui import broker, fakes
from tests.tui.fakes import NOON, FakeDesk, FakeStack, application, pressed, tell, text_of
from tests.tui.test_hostile import HOSTILE, harmless

TRADES = ("b", "down", "enter")
"""Keys that open the topic binance_trade: the first one of the list."""


def desk_of(stack: FakeStack) -> FakeDesk:
    assert stack.desk is not None
    return stack.desk


async def settle(app: CryptoStreamX, pilot: Pilot[int]) -> None:
    """Wait until everything that was asked is answered, and drawn."""
    await pilot.pause()
    await app.workers.wait_for_complete()
    await tell(app, pilot)


async def press(app: CryptoStreamX, pilot: Pilot[int], *keys: str) -> str:
    """Press keys, each one answered; return the screen. What begins with a quotation mark is typed."""
    for key in keys:
        await pilot.press(*(key[1:] if key.startswith("'") else (key,)))
        await settle(app, pilot)
    return text_of(app)


async def begin(app: CryptoStreamX, stack: FakeStack, pilot: Pilot[int]) -> None:
    desk_of(stack).broker = broker.trading(NOON)
    await tell(app, pilot, *fakes.streaming(NOON))


def offsets(app: CryptoStreamX) -> list[int]:
    rows = app.screen.query_one(RecordRows)
    return [rows.item(index).record.offset for index in range(rows.total())]


def last_question(stack: FakeStack) -> object:
    return desk_of(stack).asked[-1][1]


async def test_topics_then_the_newest_records_and_back() -> None:
    pressed("messages", "topics")
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        shown = await press(app, pilot, "b")
        assert "3 topics" in shown
        assert "0: 0 to 250" in shown
        shown = await press(app, pilot, "down", "enter")
        assert "binance_trade · from the end, newest first · 100 records, up to the end" in shown
        assert offsets(app) == list(range(249, 149, -1))
        assert "event_type=trade event_time=" in shown
        shown = await press(app, pilot, "backspace")
        assert "3 topics" in shown
        assert app.pane_name == "messages"


async def test_page_by_page_in_the_direction_of_reading() -> None:
    pressed("messages", "next_page", "previous_page")
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        await press(app, pilot, *TRADES, "n")
        assert offsets(app) == list(range(149, 49, -1))
        shown = await press(app, pilot, "n")
        assert offsets(app) == list(range(49, -1, -1))
        assert "50 records, the first there are" in shown
        shown = await press(app, pilot, "n")
        assert "there is nothing older" in shown
        assert offsets(app)[0] == 49, "what is in sight stays"
        await press(app, pilot, "N")
        assert offsets(app) == list(range(149, 49, -1))


async def test_from_an_offset_a_time_the_beginning() -> None:
    pressed("messages", "start_at")
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        await press(app, pilot, *TRADES)
        await press(app, pilot, "o", "'120", "enter")
        assert last_question(stack) == Question("binance_trade", None, Offset(120))
        assert offsets(app) == list(range(120, 220)), "oldest first from a place on"
        await press(app, pilot, "n")
        assert offsets(app) == list(range(220, 250))
        await press(app, pilot, "N")
        assert offsets(app) == list(range(120, 220))
        await press(app, pilot, "o", "'12:04:20", "enter")
        assert last_question(stack) == Question("binance_trade", None, Time(NOON - 11_000))
        assert offsets(app)[0] == 140
        shown = await press(app, pilot, "o", "'xyz", "enter")
        assert "is no place to start" in shown
        await press(app, pilot, "escape", "o", "b", "down", "enter")
        assert last_question(stack) == Question("binance_trade", None, Beginning())
        await press(app, pilot, "o", "enter")
        assert last_question(stack) == Question("binance_trade", None, End())


async def test_one_partition() -> None:
    pressed("messages", "partition")
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        shown = await press(app, pilot, *TRADES, "P")
        assert "offsets 0 to 250" in shown
        shown = await press(app, pilot, "down", "enter")
        assert last_question(stack) == Question("binance_trade", 0, End())
        assert "binance_trade · partition 0" in shown
        await press(app, pilot, "P", "enter")
        assert last_question(stack) == Question("binance_trade", None, End())


async def test_following_shows_what_comes_and_stands_still_under_the_cursor() -> None:
    pressed("messages", "follow")
    app, stack, clock = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        topics = desk_of(stack).broker
        await press(app, pilot, *TRADES)
        shown = await press(app, pilot, "f")
        assert "following" in shown
        pane = app.screen.query_one(MessagesPane)

        async def come(count: int) -> None:
            first = len(topics.records["binance_trade"])
            made = (broker.record(first + n, b"new %d" % (first + n), "binance_trade", NOON) for n in range(count))
            topics.add("binance_trade", *made)
            pane._poll()
            await settle(app, pilot)

        await come(3)
        assert offsets(app)[:4] == [252, 251, 250, 249]
        await press(app, pilot, "down", "down")
        held = offsets(app)
        await come(2)
        assert offsets(app) == held
        assert "❄ +2" in text_of(app)
        await press(app, pilot, "up", "up")
        assert offsets(app)[:2] == [254, 253]
        await come(1_000)
        assert offsets(app)[:2] == [1254, 1253]
        assert "900 passed over" in text_of(app)
        desk_of(stack).error = BrowseError("Local: Broker transport failure (_TRANSPORT)")
        pane._poll()
        await settle(app, pilot)
        clock.forward(6_000)
        await tell(app, pilot)
        assert "STALE 6s" in text_of(app)
        assert "✗ Local: Broker transport failure" in text_of(app)
        assert app.screen.query_one(RecordRows).faded
        desk_of(stack).error = None
        await come(1)
        await tell(app, pilot)
        assert "STALE" not in text_of(app).splitlines()[4]
        shown = await press(app, pilot, "f")
        assert "following" not in shown


async def test_search_says_how_far_goes_on_and_stops() -> None:
    pressed("messages", "search", "leave_search")
    app, stack, _ = application()
    async with app.run_test(size=(160, 40)) as pilot:
        await begin(app, stack, pilot)
        desk = desk_of(stack)
        await press(app, pilot, *TRADES)
        shown = await press(app, pilot, "F", "'ethusdt", "enter")
        assert "5 with “ethusdt” · 250 looked at" in shown
        assert offsets(app) == [249, 247, 245, 243, 241]
        await press(app, pilot, "n")
        assert desk.asked[-1] == ("search", (Question("binance_trade"), "ethusdt", True))
        assert offsets(app) == [239, 237, 235, 233, 231]
        shown = await press(app, pilot, "escape")
        assert "from the end" in shown
        desk.searching = asyncio.Event()
        await press(app, pilot, "F")
        await pilot.press(*"xyz", "enter")
        await pilot.pause()
        await tell(app, pilot)
        assert "searching, 12,000 looked at …" in text_of(app)
        await pilot.press("escape")
        await tell(app, pilot)
        assert "search stopped" in text_of(app)
        assert "searching" not in text_of(app)
        assert len(offsets(app)) == 100, "what was in sight stays"
        desk.searching = None
        shown = await press(app, pilot, "F", "'nothing like it", "enter")
        assert "no record holds it" in shown
        assert "nothing is left" in shown


async def test_a_record_whole_and_copied() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 60)) as pilot:
        await begin(app, stack, pilot)
        shown = await press(app, pilot, *TRADES, "down", "enter")
        assert isinstance(app.screen, DetailScreen)
        for words in ("create time", "from  ", "Avro · schema 1 · cryptostreamx.BinanceTrade", '"trade_id": 1249'):
            assert words in shown
        await pilot.press("y")
        assert '"trade_id": 1249' in app.clipboard
        page = app.screen.query_one(Page)
        assert "000000  00 00 00 00 01" in page.text()
        assert '"name": "BinanceTrade"' in page.text()
        desk_of(stack).broker.registry.away = True
        desk_of(stack).broker.decoder._schemas.clear()
        await press(app, pilot, "escape")
        shown = await press(app, pilot, "enter")
        assert "connection refused" in shown
        assert "bytes · schema 1" in shown


async def test_what_is_listed_is_filtered_and_exported(tmp_path: Path) -> None:
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        shown = await press(app, pilot, "b", "slash", "'dlq", "enter")
        assert "3 topics · 1 shown" in shown
        assert "binance_trade_agg" not in shown
        shown = await press(app, pilot, "enter")
        assert "dlq-producer" in shown
        assert len(offsets(app)) == 3
        await press(app, pilot, "slash", "'nan", "enter")
        assert offsets(app) == [0]
        await press(app, pilot, "e", "enter")
        await press(app, pilot, "e", "down", "enter")
    files = {path.suffix: path for path in (tmp_path / "exports").iterdir() if path.stem.startswith("dlq-producer")}
    (line,) = [json.loads(text) for text in files[".jsonl"].read_text().splitlines()]
    assert (line["offset"], line["value_read_as"], line["headers"]) == (0, "json", [{"key": "from", "value": "a test"}])
    (row,) = csv.DictReader(files[".csv"].open())
    assert row["value"] == '{\n  "e": "trade",\n  "p": "NaN"\n}'


async def test_nothing_answers_and_nothing_is_known() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        desk = desk_of(stack)
        desk.error = BrowseError("Local: Timed out (_TIMED_OUT)")
        shown = await press(app, pilot, "b")
        assert "✗ Local: Timed out (_TIMED_OUT)" in shown
        assert "no topics have been read yet" in shown
        assert "0 topics" not in shown
        desk.error = None
        await press(app, pilot, "backspace")
        app.screen.query_one(MessagesPane)._refresh_topics()
        await settle(app, pilot)
        assert "3 topics" in text_of(app)
        assert "does not answer" not in text_of(app)
        desk.broker.add("half")
        app.screen.query_one(MessagesPane)._refresh_topics()
        await settle(app, pilot)
        assert "where – stands a partition's leader does not answer" in text_of(app)
        assert "0: 0 to 0 · 1: –" in text_of(app)
        desk.error = RuntimeError("what nobody \x1b[31mforesaw")
        shown = await press(app, pilot, "down", "enter")
        assert r"RuntimeError: what nobody \x1b[31mforesaw" in shown
        stack.desk = None
        shown = await press(app, pilot, "backspace", "down", "enter")
        assert "the brokers' addresses are not known yet" in shown


async def test_another_run_begins_with_its_own_topics() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await begin(app, stack, pilot)
        await press(app, pilot, *TRADES)
        other = FakeDesk(stack.settings)
        other.broker.add("elsewhere")
        stack.desk = other
        await tell(app, pilot)
        await settle(app, pilot)
        assert "elsewhere" in text_of(app)
        assert "1 topic ·" in text_of(app)


async def test_hostile_records() -> None:
    app, stack, _ = application()
    data = HOSTILE.encode("utf-8", "surrogatepass")
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        topics = desk_of(stack).broker
        big = data + b"x" * 1_000_000
        topics.add(HOSTILE, *(broker.record(n, value, HOSTILE, NOON, data) for n, value in enumerate((data, big))))
        for keys in (("b",), ("down", "enter"), ("down", "enter"), ("escape", "down", "enter"), ("escape", "y")):
            assert harmless(await press(app, pilot, *keys))
        assert harmless(app.clipboard.replace("\n", "").replace("\t", ""))
        await press(app, pilot, "escape", "F")
        assert harmless(await press(app, pilot, "'evil", "enter"))
        assert len(offsets(app)) == 2
        desk_of(stack).error = BrowseError(HOSTILE)
        assert harmless(await press(app, pilot, "backspace", "enter"))
