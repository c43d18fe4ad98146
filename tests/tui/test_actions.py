"""Every action of the table, by its keys."""

import asyncio
import re

import pytest

from cryptostreamx_tui.actions import ACTIONS, PANES, bindings
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.screens.main import MainScreen
from cryptostreamx_tui.screens.startup import StartupScreen
from cryptostreamx_tui.screens.stopping import StoppingScreen
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.tape import Tape
from pipeline.events import StackPhase
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON, application, pressed, tell, text_of


async def test_panes_by_letter_by_function_key_and_by_tab() -> None:
    pressed("main", "pane", "next_pane", "previous_pane")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        assert app.pane_name == "trades"
        for name, (title, letter, key) in PANES.items():
            await pilot.press("f1", letter)  # in the query editor a letter would be typed
            assert app.pane_name == name
            await pilot.press("t", key)
            assert app.pane_name == name
            await tell(app, pilot)
            assert f"▸{title.split()[0]}" in text_of(app)
        await pilot.press("t", "tab")
        assert app.pane_name == "windows"
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert app.pane_name == "health", "the second table of windows is a stop of its own"
        await pilot.press("shift+tab")
        assert app.pane_name == "windows"
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert app.pane_name == "trades"


async def test_symbols_by_digit_by_space_and_by_enter() -> None:
    pressed("main", "symbol")
    pressed("symbols", "toggle_symbol")
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("3")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
        assert "SOL subscribing…" in text_of(app)
        await tell(app, pilot, fakes.producer(NOON, symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT")))
        assert "3●SOL –" in text_of(app)
        await pilot.press("s", "down", "space")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("ETHUSDT", "SOLUSDT"))
        await pilot.press("down", "enter")
        await pilot.press("3")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("SOLUSDT",))
        assert "the last symbol stays on" in text_of(app)
        await pilot.press("9")
        await tell(app, pilot)
        assert "there is no symbol 9" in text_of(app)


async def test_frozen_rows_stay_and_what_arrives_is_counted() -> None:
    pressed("main", "freeze", "back")
    pressed("rows", "cursor", "page", "first", "last")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        tape = app.screen.query_one(Tape)
        await pilot.press("p")
        before = text_of(app).splitlines()[4:20]
        # More than the ring holds: what is frozen must stay all the same.
        for batch in range(6):
            await tell(app, pilot, fakes.trades(2_000, NOON, first=200 + batch * 2_000))
        assert text_of(app).splitlines()[4:20] == before
        assert "❄ +12,000" in text_of(app)
        await pilot.press("p")
        await tell(app, pilot)
        assert "❄" not in text_of(app)
        assert text_of(app).splitlines()[4:20] != before
        await pilot.press("down", "j")
        assert tape.note
        assert tape.cursor == 1
        await pilot.press("pagedown")
        assert tape.cursor == 19
        await pilot.press("pageup", "up")
        assert tape.cursor == 0
        await pilot.press("up")
        assert tape.note == "", "above the first row the view follows again"
        await pilot.press("end")
        assert tape.cursor == 9_999
        await pilot.press("home")
        assert tape.note == ""
        await pilot.press("down", "escape")
        assert tape.note == ""


async def test_columns_shift_where_there_are_too_many() -> None:
    pressed("rows", "shift")
    app, _, _ = application()
    async with app.run_test(size=(60, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("w")
        await tell(app, pilot)
        assert "avg" not in text_of(app)
        await pilot.press(*["right"] * 9)
        await tell(app, pilot)
        assert "avg" in text_of(app)
        assert "61,830.12" in text_of(app)
        await pilot.press(*["left"] * 9)
        await tell(app, pilot)
        assert "quantity" in text_of(app)


@pytest.mark.parametrize(
    ("key", "expected"),
    [("t", "Place in Kafka"), ("w", "trade_count"), ("h", "Last error"), ("l", "Message"), ("d", "Headers")],
)
async def test_a_row_opens_is_copied_and_left(key: str, expected: str) -> None:
    pressed("rows", "open")
    pressed("main", "copy")
    pressed("detail", "leave", "copy")
    pressed("page", "scroll_lines", "scroll_page", "scroll_top", "scroll_bottom")
    app, _, _ = application()
    async with app.run_test(size=(80, 30)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), fakes.letters(NOON), fakes.refusal(NOON))
        await pilot.press(key, "down", "y")
        await tell(app, pilot)
        assert "copied" in text_of(app)
        assert app.clipboard
        await pilot.press("enter")
        await tell(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert expected in text_of(app)
        page = app.screen.query_one(Page)
        await pilot.press("down", "pagedown", "end")
        assert (page.top > 0) == bool(page.position), "what does not fit is scrolled to its end"
        await pilot.press("pageup", "up", "home")
        assert page.top == 0
        await pilot.press("y")
        assert app.clipboard == page.text()
        await pilot.press("escape")
        assert isinstance(app.screen, MainScreen)


async def test_maximise_gives_the_body_to_one_pane_and_back() -> None:
    pressed("main", "maximise")
    app, _, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        assert "Dead letters" in text_of(app)
        await pilot.press("m")
        await tell(app, pilot)
        assert app.screen.query_one(Tape).size.width == 120
        await pilot.press("escape")
        await tell(app, pilot)
        assert app.screen.query_one(Tape).size.width < 60


async def test_resizing_keeps_pane_cursor_and_freezing() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("down", "down", "down")
        tape = app.screen.query_one(Tape)
        held = tape.selected
        for size in ((120, 40), (200, 60), (40, 12), (80, 24)):
            await pilot.resize_terminal(*size)
            await tell(app, pilot, fakes.trades(100, NOON))
            assert tape.selected is held
            assert app.pane_name == "trades"
        assert "❄ +400" in text_of(app)


async def test_the_checklist_comes_first_gives_way_and_comes_back() -> None:
    pressed("main", "checklist")
    pressed("start", "enter_main")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        assert isinstance(app.screen, StartupScreen)
        await pilot.press("enter")
        assert isinstance(app.screen, MainScreen), "a person can go on before it is ready"
        await pilot.press("c")
        await tell(app, pilot, *fakes.started(NOON))
        assert isinstance(app.screen, StartupScreen), "opened by hand: only a person leaves it"
        await pilot.press("escape")
        assert isinstance(app.screen, MainScreen)
        await tell(app, pilot, StackPhase("stopping", NOON), StackPhase("stopped", NOON), StackPhase("starting", NOON))
        assert isinstance(app.screen, StartupScreen)
        await tell(app, pilot, StackPhase("running", NOON))
        assert isinstance(app.screen, MainScreen)


@pytest.mark.parametrize("place", ["start", "main"])
async def test_out_of_reach_the_simulated_exchange_is_offered_and_never_taken_alone(place: str) -> None:
    pressed(place, "retry", "simulated")
    pressed("confirm", "answer")
    app, stack, _ = application()
    gone = fakes.producer(NOON, connected=False, feed_error="[Errno 111] refused")
    async with app.run_test(size=(80, 24)) as pilot:
        events = fakes.started(NOON) if place == "main" else [StackPhase("starting", NOON)]
        await tell(app, pilot, *events, gone)
        assert "Binance cannot be reached: [Errno 111] refused" in text_of(app)
        await pilot.press("r")
        await pilot.pause()
        assert stack.last() == ("retry", None)
        await pilot.press("s")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("n")
        assert stack.last() == ("retry", None)
        await pilot.press("s", "y")
        await tell(app, pilot, StackPhase("stopping", NOON), StackPhase("stopped", NOON), StackPhase("starting", NOON))
        assert stack.last() == ("use_simulated", None)
        assert "SIMULATED" in text_of(app)
        await tell(app, pilot, *fakes.streaming(NOON))
        assert "◆ SIMULATED" in text_of(app)
        assert "LIVE" not in text_of(app)


async def test_while_binance_answers_s_is_the_symbols_and_r_is_nothing() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("r", "s")
        assert app.pane_name == "symbols"
        assert stack.asked == [("start", None)]


async def test_a_service_is_restarted_after_asking() -> None:
    pressed("health", "restart")
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("R")
        assert isinstance(app.screen, MainScreen), "only in the health pane"
        await pilot.press("h", "down", "down", "R", "y")
        await pilot.pause()
        assert stack.last() == ("restart", "kafka-0")


async def test_help_shows_every_description() -> None:
    pressed("app", "help")
    app, _, _ = application()
    async with app.run_test(size=(200, 60)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("question_mark")
        shown = app.screen.query_one(Page).text()
        missing = [a.description for a in ACTIONS if a.base != "symbol" and a.description not in shown]
        assert not missing


async def test_the_palette_offers_the_table() -> None:
    pressed("app", "command_palette")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Health (h F3)", "Freeze (p)", "Quit (q)", "Theme (T)"} <= offered
        assert not any(title.startswith("Retry") for title in offered)
        await pilot.press("ctrl+p", *"dead")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert app.pane_name == "dead"


async def test_a_command_that_fails_is_told_and_logged() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        stack.error = RuntimeError("no \x1b[31mway[/x]")
        await pilot.press("3")
        await tell(app, pilot)
        assert re.search("could not change the symbols.*: RuntimeError", app.state.log.newest(0).message)
        assert "\x1b" not in text_of(app)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quitting_waits_for_the_stack_and_says_for_what(key: str) -> None:
    pressed("app", "quit", "interrupt")
    app, stack, _ = application()
    may_stop = asyncio.Event()

    async def slow_stop() -> None:
        await may_stop.wait()

    stack.stop = slow_stop  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press(key)
        await tell(app, pilot, fakes.service("producer", NOON, ServiceState.STOPPED))
        assert isinstance(app.screen, StoppingScreen)
        assert app.return_value is None
        await pilot.press(key)
        await tell(app, pilot)
        assert "Still waiting for: zookeeper, kafka-0" in text_of(app)
        assert re.search(r"producer +✓ stopped", text_of(app))
        may_stop.set()
    assert app.return_value == 0


async def test_a_stop_that_fails_leaves_with_the_reason() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON))
        stack.error = TimeoutError("kafka-1 is still there")
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 1


def test_no_key_of_a_place_means_two_things() -> None:
    for place in {action.place for action in ACTIONS}:
        keys = [key for a in ACTIONS if a.place == place and a.base != "simulated" for key in a.keys.split(",")]
        assert len(keys) == len(set(keys)), place
        assert bindings(place)
