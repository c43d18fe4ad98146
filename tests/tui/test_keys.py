"""Keys of one's own work, and footer, help, palette and every hint show them; help for where one is."""

import pytest

from cryptostreamx_tui.actions import ACTIONS, PANES
from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.configuration import Configuration
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.screens.help import SHOWN, WORDS, help_detail
from cryptostreamx_tui.screens.main import MainScreen
from cryptostreamx_tui.screens.startup import StartupScreen
from cryptostreamx_tui.widgets.filter import FilterLine
from cryptostreamx_tui.widgets.page import Page
from pipeline.events import StackPhase
from tests.tui import fakes
from tests.tui.fakes import NOON, Clock, FakeStack, pressed, tell, text_of


def application(**keys: str) -> tuple[CryptoStreamX, FakeStack, Clock]:
    stack, clock = FakeStack(), Clock()
    given = {name.replace("__", "."): value for name, value in keys.items()}
    return CryptoStreamX(stack, clock, Configuration(keys=given)), stack, clock


async def test_other_keys_work_and_the_old_ones_do_not() -> None:
    pressed("main", "freeze", "pane")
    app, _, _ = application(main__freeze="f11,ctrl+f", main__pane__health="x")
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        seen = []
        for key in ("p", "f11", "f11", "ctrl+f", "ctrl+f"):
            await pilot.press(key)
            seen.append(app.frozen)
        assert seen == [False, True, False, True, False]
        await pilot.press("h", "f3")
        assert app.pane_name == "trades"
        await pilot.press("x")
        assert app.pane_name == "health"


async def test_a_key_taken_away_does_nothing_and_is_offered_nowhere() -> None:
    pressed("app", "quit")
    app, stack, _ = application(app__quit="")
    async with app.run_test(size=(200, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("q")
        assert stack.asked == [("start", None)]
        assert " quit " not in text_of(app).splitlines()[-1]
        assert "Quit" in {command.title for command in app.get_system_commands(app.screen)}, "the palette has it"


async def test_keys_that_are_shared_stay_shared_when_one_of_them_is_changed() -> None:
    """``s`` is the symbols' key, and the simulated exchange's while Binance is out of reach."""
    pressed("main", "simulated", "pane")
    app, _, _ = application(main__pane__symbols="z")
    gone = fakes.producer(NOON, connected=False, feed_error="refused")
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON), gone)
        await pilot.press("z")
        assert app.pane_name == "symbols"
        await pilot.press("s")
        assert isinstance(app.screen, ConfirmScreen)


async def test_footer_tabs_help_palette_and_questions_show_the_keys_one_has() -> None:
    app, _, _ = application(
        main__freeze="ctrl+f", main__pane__windows="ctrl+w", main__retry="ctrl+y", confirm__answer__True="j"
    )
    gone = fakes.producer(NOON, connected=False, feed_error="refused")
    async with app.run_test(size=(100, 30)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        assert "ctrl+f freeze" in text_of(app)
        assert "ctrl+w W" in text_of(app)
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Freeze (ctrl+f)", "Windows (ctrl+w)"} <= titles
        await tell(app, pilot, gone)
        assert "ctrl+y retry" in text_of(app)
        await pilot.press("s")
        await tell(app, pilot)
        assert "j yes" in text_of(app)
        await pilot.press("n", "question_mark")
        assert "ctrl+f" in app.screen.query_one(Page).text()


async def test_what_one_types_is_typed() -> None:
    """No key of the table takes a letter from a line of text."""
    pressed("main", "filter")
    pressed("filter", "clear")
    app, stack, _ = application()
    async with app.run_test(size=(120, 30)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("f9", "slash", *"qpTA!? 12")
        assert app.screen.query_one("#alerts FilterLine", FilterLine).value == "qpTA!? 12"
        assert isinstance(app.focused, FilterLine)
        assert stack.asked == [("start", None)]
        await pilot.press("escape")
        assert app.screen.query_one("#alerts FilterLine", FilterLine).value == ""


# ---------------------------------------------------------------- help


@pytest.mark.parametrize("name", list(PANES))
async def test_help_begins_with_the_pane_one_is_in(name: str) -> None:
    pressed("app", "help")
    app, _, _ = application()
    async with app.run_test(size=(120, 50)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press(PANES[name][2])
        app.action_help()
        await tell(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        lines = app.screen.query_one(Page).text().splitlines()
        assert lines[0].strip() == f"{PANES[name][0]}: what is shown"
        own = [action for action in ACTIONS if action.place == name]
        if own:
            assert any(f"{PANES[name][0]}: its keys" in line for line in lines[:8])
            assert own[0].description in "\n".join(lines[: 12 + len(own)])
        await pilot.press("question_mark", "escape")
        assert isinstance(app.screen, MainScreen)


async def test_help_on_the_checklist() -> None:
    app, _, _ = application()
    async with app.run_test(size=(120, 50)) as pilot:
        await tell(app, pilot, StackPhase("starting", NOON))
        assert isinstance(app.screen, StartupScreen)
        await pilot.press("question_mark")
        await tell(app, pilot)
        assert "Start-up checklist: what is shown" in text_of(app)


def test_help_has_everything_for_every_place() -> None:
    assert set(SHOWN) == {*PANES, "start"}
    for here in (*SHOWN, "", "detail"):
        detail = help_detail(ACTIONS, here)
        text = "\n".join(f"{name} {value}" for section in detail.sections for name, value in section.fields)
        missing = [a.id for a in ACTIONS if a.base != "symbol" and (a.description not in text or a.id not in text)]
        assert missing == []
        assert all(word in text for word, _ in WORDS)
