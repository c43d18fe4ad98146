"""Dead letters: decoded, filtered, exported, replayed once; and what is said when that cannot be."""

import json
import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from cryptostreamx_tui.panes.dead_letters import DeadLettersPane, LetterRows
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.screens.main import MainScreen
from cryptostreamx_tui.widgets.page import Page
from pipeline.broker.replay import NotSentError, PerhapsSentError, Plan
from pipeline.broker.replayed import SENDING, Mark, identity
from pipeline.events import DeadLettersRead
from pipeline.model import DeadLetter, Header
from tests.tui import fakes
from tests.tui.fakes import NOON, application, pressed, tell, text_of
from tests.tui.test_hostile import HOSTILE, harmless
from tests.tui.test_messages import desk_of, press, settle

CONNECT, PRODUCER = fakes.letters(NOON).letters


def row_of(shown: str) -> str:
    """The row of the producer's letter."""
    (row,) = [line for line in shown.splitlines() if re.search(r"\d\d:\d\d:\d\d .*bad_number", line)]
    return row


def marked(shown: str) -> bool:
    """Whether the producer's letter has the sign of a replayed one."""
    return "↻" in row_of(shown)


async def test_a_letter_whole_its_record_decoded_meanwhile() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 60)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), fakes.letters(NOON))
        shown = await press(app, pilot, "d", "down", "enter")
        assert isinstance(app.screen, DetailScreen)
        assert "Frame · 89 B · JSON" in shown
        assert '"p": "NaN"' in shown
        assert "error.detail" in shown
        await press(app, pilot, "escape", "down", "enter")
        page = app.screen.query_one(Page).text()
        assert "no record of schema 1 (cryptostreamx.BinanceTrade)" in page
        assert "__connect.errors.exception.class.name" in page
        await pilot.press("y")
        assert "000000  00 00 00 00 01 0a 74 72" in app.clipboard
        desk_of(stack).error = RuntimeError("away")
        await press(app, pilot, "escape", "enter")
        assert "RuntimeError: away" in app.screen.query_one(Page).text()
        stack.desk = None
        await press(app, pilot, "escape", "enter")
        assert "the registry's address is not known yet" in app.screen.query_one(Page).text()


async def test_letters_of_one_topic_and_with_some_words(tmp_path: Path) -> None:
    pressed("dead", "topic")
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), fakes.letters(NOON))
        rows = app.screen.query_one(LetterRows)
        shown = await press(app, pilot, "d", "v")
        assert [rows.item(i) for i in range(rows.total())] == [PRODUCER]
        assert "letters of dlq-producer" in shown
        assert "1 shown: dlq-producer" in shown
        await press(app, pilot, "v")
        assert [rows.item(i) for i in range(rows.total())] == [CONNECT]
        await press(app, pilot, "slash", "'unknown ETHUSDT", "enter")
        assert rows.total() == 1
        await press(app, pilot, "v", "v")
        shown = await press(app, pilot, "slash", "'!")
        assert "no dead letter matches" in shown
        await press(app, pilot, "escape", "v", "v", "slash", "'plain decimal", "enter")
        assert [rows.item(i) for i in range(rows.total())] == [PRODUCER]
        await press(app, pilot, "e", "down", "enter")
        await tell(app, pilot, DeadLettersRead((CONNECT, PRODUCER), NOON))
        assert rows.total() == 2, "what comes later is filtered too"
    (path,) = (tmp_path / "exports").glob("dead-letters-*.jsonl")
    (line,) = [json.loads(text) for text in path.read_text().splitlines()]
    assert (line["reason"], line["offset"]) == ("bad_number", 7)
    assert {"key": "received_time", "value": "1723118669500"} in line["headers"]


async def replay(app: object, pilot: Pilot[int], *answers: str) -> str:
    """Go through a replay of the newest letter: the page of the dry run, then answers."""
    return await press(app, pilot, "X", "escape", *answers)  # type: ignore[arg-type]


async def test_a_replay_is_shown_first_asked_then_done_once() -> None:
    pressed("dead", "replay")
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), fakes.letters(NOON))
        desk = desk_of(stack)
        shown = await press(app, pilot, "d", "X")
        assert isinstance(app.screen, DetailScreen)
        assert "Nothing was sent yet" in shown
        assert "as it was" in shown
        shown = await press(app, pilot, "escape")
        assert isinstance(app.screen, ConfirmScreen)
        assert "Replay dlq-producer/0@7 to binance_trade?" in shown
        await press(app, pilot, "n")
        assert not any(question == "replay" for question, _ in desk.asked)
        shown = await replay(app, pilot, "y")
        assert desk.asked[-1] == ("replay", ("binance_trade", False))
        assert "dlq-producer/0@7 replayed to binance_trade/0@77" in shown
        assert marked(shown)
        shown = await press(app, pilot, "X")
        assert "done before" in shown
        shown = await press(app, pilot, "escape")
        assert "A SECOND" in shown
        await press(app, pilot, "n")
        assert len(desk.broker.marks) == 1
        shown = await replay(app, pilot, "y")
        assert desk.asked[-1] == ("replay", ("binance_trade", True)), "only after that answer"
        assert "replayed to binance_trade/0@79" in shown
        shown = await press(app, pilot, "down", "enter")
        assert "replayed to binance_trade/0@79 at" in shown


async def test_what_cannot_be_replayed_says_why_and_asks_nothing() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        shown = await press(app, pilot, "d", "X")
        assert "there is no letter to replay" in shown
        await tell(app, pilot, fakes.letters(NOON))
        desk = desk_of(stack)
        desk.broker.plan = Plan(PRODUCER, "it would be refused again: bad_number: p = 'NaN' is no plain decimal")
        shown = await press(app, pilot, "X")
        assert "It cannot be replayed" in shown
        assert "it would be refused again: bad_number" in shown
        await press(app, pilot, "escape")
        assert isinstance(app.screen, MainScreen)
        desk.error = TimeoutError("no broker")
        await press(app, pilot, "X")
        assert isinstance(app.screen, MainScreen)
        assert "could not look what a replay would do: TimeoutError: no broker" in app.state.log.newest(0).message
        stack.desk = None
        shown = await press(app, pilot, "X")
        assert "the brokers' addresses are not known yet" in shown


@pytest.mark.parametrize("error", [NotSentError("no such topic"), PerhapsSentError("timed out")])
async def test_a_replay_that_fails_is_told_and_what_is_known_is_shown(error: Exception) -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), fakes.letters(NOON))
        desk = desk_of(stack)
        await press(app, pilot, "d", "X", "escape")
        desk.error = error
        if isinstance(error, PerhapsSentError):
            place, stamp = identity(PRODUCER)
            desk.broker.marks[place, stamp] = Mark(place, stamp, SENDING, NOON)
        await press(app, pilot, "y")
        assert f"could not replay the letter: {type(error).__name__}: {error}" in app.state.log.newest(0).message
        assert not marked(text_of(app))
        assert ("?" in row_of(text_of(app))) == isinstance(error, PerhapsSentError)


async def test_what_was_replayed_before_the_start_is_marked() -> None:
    app, stack, _ = application()
    place, stamp = identity(PRODUCER)
    desk_of(stack).broker.marks[place, stamp] = Mark(place, stamp, "sent", NOON, "binance_trade/0@12")
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), fakes.letters(NOON))
        await settle(app, pilot)
        shown = await press(app, pilot, "d", "m")
        assert marked(shown)
        pane = app.screen.query_one(DeadLettersPane)
        stack.desk = fakes.FakeDesk(stack.settings)
        await tell(app, pilot)
        await settle(app, pilot)
        assert pane.letters.marks == {}, "another run may have another home"


async def test_hostile_letters() -> None:
    app, stack, _ = application()
    data = HOSTILE.encode("utf-8", "surrogatepass") + b"\xff\xfe"
    headers = tuple(
        Header(name, data)
        for name in ("error.reason", "error.detail", HOSTILE, "__connect.errors.topic", "__connect.errors.stage")
    )
    letters = [
        DeadLetter("dlq-clickhouse", 0, 1, NOON, data, data, headers),
        DeadLetter("dlq-producer", 0, 2, NOON, data, data + b"x" * 1_000_000, headers),
    ]
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), DeadLettersRead(tuple(letters), NOON))
        desk_of(stack).broker.plan = Plan(letters[0], None, HOSTILE, data, data, ((HOSTILE, data),), None, (HOSTILE,))
        for keys in (("d",), ("down", "y"), ("enter", "end"), ("y", "escape"), ("down", "enter"), ("escape",)):
            assert harmless(await press(app, pilot, *keys))
            assert harmless(app.clipboard.replace("\n", "").replace("\t", ""))
        for key in ("X", "escape", "y"):
            assert harmless(await press(app, pilot, key))
        desk_of(stack).broker.plan = Plan(letters[0], HOSTILE)
        assert harmless(await press(app, pilot, "X"))
        desk_of(stack).error = NotSentError(HOSTILE)
        assert harmless(await press(app, pilot, "escape", "X"))
