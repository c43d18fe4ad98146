"""The mouse does what the keys do: tabs, chips, footer, rows, wheel, titles, questions."""

import pytest
from rich.cells import cell_len
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from cryptostreamx_tui.actions import PANES
from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.screens.choose import ChooseScreen
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.screens.main import MainScreen
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.tape import Tape
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON, application, tell, text_of


def place_of(app: CryptoStreamX, wanted: str, last: bool = False) -> tuple[int, int]:
    """Return the cell in which a text begins on the screen."""
    found = [(line.index(wanted), y, line) for y, line in enumerate(text_of(app).splitlines()) if wanted in line]
    assert found, f"{wanted!r} is not on the screen:\n{text_of(app)}"
    x, y, line = found[-1 if last else 0]
    return cell_len(line[:x]), y


async def click(app: CryptoStreamX, pilot: Pilot[int], wanted: str, *, times: int = 1, last: bool = False) -> None:
    """Click into the first letter of a text."""
    assert await pilot.click(offset=place_of(app, wanted, last), times=times)
    await tell(app, pilot)


async def wheel(app: CryptoStreamX, pilot: Pilot[int], down: bool, offset: tuple[int, int]) -> None:
    """Turn the wheel by one step over a cell."""
    await pilot._post_mouse_events([MouseScrollDown if down else MouseScrollUp], offset=offset, button=0)
    await tell(app, pilot)


async def test_tabs_and_chips() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        for name, (title, _, _) in reversed(PANES.items()):
            row = text_of(app).splitlines()[2]
            shown = next(title.split()[0][:n] for n in (8, 5, 4, 3, 2) if title.split()[0][:n] in row)
            assert await pilot.click(offset=(cell_len(row[: row.index(shown)]), 2))
            await tell(app, pilot)
            assert app.pane_name == name
        await click(app, pilot, "SOL")
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT", "SOLUSDT"))


async def test_footer_keys_and_labels() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        seen = []
        for word in ("freeze", "resume"):
            await click(app, pilot, word, last=True)
            seen.append(app.frozen)
        assert seen == [True, False]
        await click(app, pilot, "help", last=True)
        assert isinstance(app.screen, DetailScreen)
        await click(app, pilot, "back", last=True)
        assert isinstance(app.screen, MainScreen)


async def test_rows_are_selected_opened_and_rolled() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        tape = app.screen.query_one(Tape)
        x, y = tape.region.x + 5, tape.region.y + 4
        assert await pilot.click(offset=(x, y))
        assert tape.cursor == 3
        await wheel(app, pilot, True, (x, y))
        assert tape.cursor == 6
        await wheel(app, pilot, False, (x, y))
        assert tape.cursor == 3
        assert await pilot.click(offset=(x, y), times=2)
        await tell(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        page = app.screen.query_one(Page)
        await wheel(app, pilot, True, (x, y))
        assert page.top == 3 or page.position == ""
        await click(app, pilot, "copy", last=True)
        assert app.clipboard == page.text()


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_titles_and_panes_of_the_dashboard(size: tuple[int, int]) -> None:
    app, _, _ = application()
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), fakes.letters(NOON))
        for title, name in (
            (" Windows ", "windows"),
            (" Log ", "log"),
            (" Dead letters ", "dead"),
            (" Trades ", "trades"),
        ):
            x, y = place_of(app, title)
            assert await pilot.click(offset=(x + 1, y))
            await tell(app, pilot)
            assert app.pane_name == name
        await click(app, pilot, "bad_number", last=True)
        assert app.pane_name == "dead", "a click into another pane makes it the current one"


async def test_alert_line_notice_and_questions() -> None:
    app, stack, clock = application()
    async with app.run_test(size=(80, 30)) as pilot:
        failed = fakes.service("sink", NOON, ServiceState.FAILED, last_error="broken")
        await tell(app, pilot, *fakes.streaming(NOON), failed)
        await click(app, pilot, "retry")
        assert stack.last() == ("retry", None)
        clock.forward(1000)
        await tell(app, pilot)
        await click(app, pilot, "alerts  A")
        assert app.pane_name == "alerts"
        await click(app, pilot, "A acknowledge")
        assert app.alerts.calling == []
        app.commands.restart("sink")
        await tell(app, pilot)
        assert isinstance(app.screen, ConfirmScreen)
        await click(app, pilot, "n no")
        assert isinstance(app.screen, MainScreen)
        await pilot.press("T")
        await tell(app, pilot)
        assert isinstance(app.screen, ChooseScreen)
        await click(app, pilot, "day  ")
        await click(app, pilot, "day  ", times=2)
        await tell(app, pilot)
        assert app.theme == "cryptostreamx-day"


async def test_the_checklist_is_left_by_its_footer() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot)
        await click(app, pilot, "go on", last=True)
        assert isinstance(app.screen, MainScreen)
