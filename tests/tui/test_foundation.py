"""What all panes share: the filter line, exports, questions that want a line of text or one of several things."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cryptostreamx_tui.export import Export
from cryptostreamx_tui.screens.choose import ChooseScreen
from cryptostreamx_tui.screens.main import MainScreen
from cryptostreamx_tui.screens.prompt import PromptScreen
from cryptostreamx_tui.widgets.filter import FilterLine
from cryptostreamx_tui.widgets.tape import Tape
from tests.tui import fakes
from tests.tui.fakes import NOON, FakeStack, application, pressed, tell, text_of

EXPORT = Export("things", ("name", "value"), [("a,\x1b[0m", 1.5), ("b", None)])


async def test_only_what_matches_is_shown_and_counted() -> None:
    app, _, _ = application()
    async with app.run_test(size=(120, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        tape = app.screen.query_one(Tape)
        assert tape.total() == 200
        tape.only = lambda entry: entry[0].trade.symbol == "BTCUSDT"
        assert tape.total() == 100
        await tell(app, pilot, fakes.trades(10, NOON, first=200))
        assert tape.total() == 105
        await pilot.press("p")
        await tell(app, pilot, fakes.trades(12, NOON, first=210))
        assert tape.note == "❄ +6 of 12", "those that match, of those that came"
        assert {tape.item(i)[0].trade.symbol for i in range(tape.total())} == {"BTCUSDT"}
        await tell(app, pilot, fakes.trades(30_000, NOON, first=300))
        tape.only = None
        assert tape.note == ""
        assert tape.total() == 10_000


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
async def test_a_list_is_exported_as_a_whole_file(tmp_path: Path, ending: str) -> None:
    pressed("choose", "choose", "cancel")
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        app.export(EXPORT)
        await pilot.pause()
        assert isinstance(app.screen, ChooseScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, MainScreen)
        app.export(EXPORT)
        await pilot.pause()
        await pilot.press(*(["down"] if ending == "jsonl" else []), "enter")
        await app.workers.wait_for_complete()
    (made,) = (tmp_path / "exports").iterdir()
    assert made.name == f"things-20240808T120431-000.{ending}"
    content = made.read_bytes().decode()
    if ending == "csv":
        assert content == 'name,value\r\n"a,\x1b[0m",1.5\r\nb,\r\n'
    else:
        lines = [json.loads(line) for line in content.splitlines()]
        assert lines == [{"name": "a,\x1b[0m", "value": 1.5}, {"name": "b", "value": None}]


async def test_an_export_that_fails_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    app, stack, _ = application()
    (tmp_path / "exports").write_text("a file where the folder should be")
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        app.export(EXPORT)
        await pilot.pause()
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert "could not export: FileExistsError" in app.state.log.newest(0).message


async def test_a_prompt_suggests_checks_and_answers() -> None:
    pressed("prompt", "suggestion", "cancel")
    app, _, _ = application()
    answers: list[str | None] = []

    def suggest(typed: str) -> Sequence[tuple[str, str]]:
        return [(name, "USDT") for name in ("ADAUSDT", "ATOMUSDT", "BTCUSDT") if name.startswith(typed.upper())]

    def check(value: str) -> str | None:
        return None if value.isupper() else f"{value!r} is not upper case"

    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))

        async def ask(*keys: str) -> None:
            app.push_screen(PromptScreen("Which symbol?", suggest=suggest, check=check), answers.append)
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause()

        await ask("a")
        assert "ATOMUSDT" in text_of(app)
        assert "BTCUSDT  USDT" not in text_of(app)
        await pilot.press("down", "down", "up", "enter")
        assert answers == ["ADAUSDT"]
        await ask("x", "enter")
        assert "'x' is not upper case" in text_of(app)
        await pilot.press("escape")
        assert answers == ["ADAUSDT", None]
        await ask("X", "enter")
        assert answers[-1] == "X"


async def test_the_filter_line_opens_keeps_and_clears() -> None:
    pressed("main", "filter")
    pressed("filter", "keep", "clear")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        pane = app.screen.query_one("#trades")
        line = pane.query_one(FilterLine)
        await pilot.press("slash", "b", "t", "c")
        assert line.value == "btc"
        assert app.pane_name == "trades", "while one types letters are letters"
        await pilot.press("enter")
        assert app.screen.query_one(Tape).has_focus
        shown = [line.display]
        await pilot.press("escape")
        shown.append(line.display)
        await pilot.press("slash", "b", "escape")
        shown.append(line.display)
        assert shown == [True, False, False]
        assert app.screen.query_one(Tape).total() == 200


def test_the_fake_stack_has_a_desk() -> None:
    desk = FakeStack().desk
    assert desk is not None
    desk.error = RuntimeError("away")
    with pytest.raises(RuntimeError, match="away"):
        desk.note("topics")
    assert desk.asked == [("topics", None)]
