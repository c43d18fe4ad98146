"""The alerts on the screen: a line at every size, the list, acknowledging, the bell and the desktop."""

import base64
from pathlib import Path

import pytest
from textual.pilot import Pilot

from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.calling import notification
from cryptostreamx_tui.configuration import Alerts, Configuration
from cryptostreamx_tui.panes.alerts import AlertRows
from cryptostreamx_tui.screens.choose import ChooseScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.widgets.page import Page
from pipeline.events import StackEvent
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON, Clock, FakeStack, pressed, tell, text_of
from tests.tui.test_hostile import HOSTILE, harmless

SIZES = [(80, 24), (120, 40), (200, 60), (40, 12)]


def application(**alerts: object) -> tuple[CryptoStreamX, FakeStack, Clock]:
    stack, clock = FakeStack(), Clock()
    configuration = Configuration(alerts=Alerts.model_validate(alerts))
    return CryptoStreamX(stack, clock, configuration), stack, clock


async def later(app: CryptoStreamX, pilot: Pilot[int], clock: Clock, seconds: int, *events: StackEvent) -> None:
    """Let seconds pass, one by one, with what happens in the first of them."""
    for second in range(seconds):
        clock.forward(1000)
        await tell(app, pilot, *(events if second == 0 else ()))


def failing(*names: str) -> list[StackEvent]:
    return [fakes.service(name, NOON, ServiceState.FAILED, last_error=f"{name} is broken") for name in names]


@pytest.mark.parametrize("size", SIZES)
async def test_an_alert_that_nobody_has_seen_is_told_at_every_size_and_hides_nothing(size: tuple[int, int]) -> None:
    pressed("main", "acknowledge_all")
    app, _, clock = application()
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("A")
        before = text_of(app).splitlines()
        assert "A acknowledge" not in "\n".join(before)
        await later(app, pilot, clock, 1, fakes.letters(clock.ms + 2000))
        lines = text_of(app).splitlines()
        assert "▲ dead" in lines[1]
        assert "A acknowledge" in lines[1]
        assert lines[0].startswith(before[0][:6]), "the status line is above it"
        assert lines[2][:6] == before[1][:6], "what was there is below it"
        await pilot.press("A")
        await tell(app, pilot)
        assert text_of(app).splitlines()[1][:6] == before[1][:6], "acknowledged: it takes no more room"
        assert app.alerts.active[0].status == "acknowledged"


async def test_the_list_says_what_when_and_how_long() -> None:
    pressed("alerts", "acknowledge")
    app, _, clock = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("exclamation_mark")
        await tell(app, pilot)
        assert "nothing has needed anybody so far" in text_of(app)
        await later(app, pilot, clock, 1, *failing("sink"))
        await later(app, pilot, clock, 65, *failing("kafka-1"))
        shown = text_of(app)
        assert "12:04:32Z ▲ active" in shown
        assert "sink failed: sink is broken" in shown
        assert "1m05s" in shown
        await pilot.press("down", "down", "space")
        await tell(app, pilot)
        assert [alert.status == "acknowledged" for alert in app.alerts.all()][:2] == [False, True]
        await pilot.press("space")
        await tell(app, pilot)
        assert "there is nothing to acknowledge" in text_of(app), "once is enough"


async def test_a_row_stays_under_the_cursor_when_another_comes() -> None:
    app, _, clock = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await later(app, pilot, clock, 1, *failing("sink"))
        await pilot.press("f9", "down")
        rows = app.screen.query_one(AlertRows)
        before = rows.selected
        assert before is not None
        await later(app, pilot, clock, 2, *failing("kafka-1", "windows", "producer"))
        after = rows.selected
        assert after is not None
        assert (after.number, after.subject) == (before.number, "sink")
        assert rows.cursor == 3


async def test_an_alert_opens_with_what_to_do_and_is_cleared_when_it_is_over() -> None:
    pressed("rows", "open")
    app, _, clock = application()
    async with app.run_test(size=(80, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await later(app, pilot, clock, 1, *failing("sink"))
        await pilot.press("f9", "enter")
        await tell(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert "What to do" in text_of(app)
        assert "mend the cause" in text_of(app)
        await pilot.press("escape")
        await later(app, pilot, clock, 7, fakes.service("sink", NOON))
        assert "✓ cleared" in text_of(app)
        assert "none active" in text_of(app)


async def test_the_list_is_filtered_and_exported() -> None:
    pressed("main", "filter", "export")
    app, stack, clock = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await later(app, pilot, clock, 1, *failing("sink", "kafka-1"))
        await pilot.press("f9", "slash", *"kafka-1")
        await tell(app, pilot)
        assert [alert.subject for alert in app.screen.query_one(AlertRows).shown()] == ["kafka-1"]
        await pilot.press("enter", "e", "enter")
        await app.workers.wait_for_complete()
        await tell(app, pilot)
        [file] = (stack.settings.home / "exports").glob("alerts-*.csv")
        assert "service failed,kafka-1,kafka-1 failed: kafka-1 is broken,active" in file.read_text()


@pytest.mark.parametrize("wanted", [True, False])
async def test_bell_and_desktop_once_for_each_alert_and_only_where_wished(
    wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _, clock = application(bell=wanted, desktop=wanted)
    for name in ("KITTY_WINDOW_ID", "VTE_VERSION", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    rung: list[str] = []
    written: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(app, "bell", lambda: rung.append("bell"))
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await tell(app, pilot, *fakes.streaming(NOON))
        await later(app, pilot, clock, 5, *failing("sink"))
        notified = [text for text in written if text.startswith("\x1b]9;")]
        assert rung == ["bell"] * wanted
        assert notified == ["\x1b]9;CryptoStreamX: service failed: sink failed: sink is broken\x07"] * wanted


def test_one_notification_by_what_the_terminal_says_of_itself() -> None:
    assert notification("a;b", {"TERM": "xterm"}) == "\x1b]9;CryptoStreamX: a,b\x07"
    assert notification("a", {"TERM": "foot"}) == "\x1b]777;notify;CryptoStreamX;a\x1b\\"
    assert notification("a", {"KITTY_WINDOW_ID": "1"}).count("\x1b]99;") == 2
    assert notification("a", {"TMUX": "x"}) == "\x1bPtmux;\x1b\x1b]9;CryptoStreamX: a\x07\x1b\\"


@pytest.mark.parametrize("environment", [{"TERM": "xterm"}, {"TERM": "foot"}, {"KITTY_WINDOW_ID": "1"}])
def test_a_notification_carries_no_sequence_of_another(environment: dict[str, str]) -> None:
    empty, hostile = notification("", environment), notification(HOSTILE * 20, environment)
    for sign in "\x1b\x07\x9c\x00":
        assert hostile.count(sign) == empty.count(sign)


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_in_alerts(size: tuple[int, int]) -> None:
    pressed("detail", "copy", "leave")
    app, _, clock = application(price={HOSTILE: {"low": 1.0}})
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        wrong = fakes.service(HOSTILE, NOON, ServiceState.FAILED, last_error=HOSTILE * 1000)
        await later(app, pilot, clock, 3, wrong)
        assert harmless(text_of(app))
        await pilot.press("f9", "down", "y")
        await tell(app, pilot)
        assert harmless(text_of(app))
        await pilot.press("enter")
        await tell(app, pilot)
        assert harmless(text_of(app))
        assert isinstance(app.screen, DetailScreen)
        assert harmless(app.screen.query_one(Page).text().replace("\n", ""))
        await pilot.press("y", "escape")
        assert harmless(app.clipboard.replace("\n", "").replace("\t", ""))


# ---------------------------------------------------------------- copies, themes


async def test_what_is_copied_stands_in_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    app, stack, _ = application()
    written: list[str] = []
    async with app.run_test(size=(100, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        app.copy("töäst\ud800")
        await app.workers.wait_for_complete()
        await tell(app, pilot)
        file = stack.settings.home / "exports" / "copied.txt"
        assert file.read_bytes() == "töäst\\ud800".encode()
        assert file.stat().st_mode & 0o077 == 0
        assert "copied 6 characters; also in exports/copied.txt" in text_of(app)
        [sequence] = [text for text in written if text.startswith("\x1b]52;c;")]
        assert base64.b64decode(sequence[7:-1]) == file.read_bytes()


async def test_what_is_too_large_for_a_clipboard_is_only_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    app, stack, _ = application()
    async with app.run_test(size=(100, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        app.copy("before")
        app.copy("x" * 1_000_000)
        await app.workers.wait_for_complete()
        await tell(app, pilot)
        assert app.clipboard == "before"
        assert (stack.settings.home / "exports" / "copied.txt").stat().st_size == 1_000_000
        assert "too many for a terminal's clipboard" in text_of(app)


async def test_a_copy_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    app, stack, _ = application()
    (tmp_path / "exports").write_text("in the way")
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(100, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        app.copy("x")
        await app.workers.wait_for_complete()
        assert "could not write copied.txt" in app.state.log.newest(0).message


async def test_a_theme_is_chosen_and_kept_for_the_next_start(tmp_path: Path) -> None:
    pressed("app", "theme")
    pressed("choose", "choose", "cancel")
    kept = tmp_path / "state" / "screen.json"
    app = CryptoStreamX(FakeStack(), Clock(), None, kept)
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("T")
        await tell(app, pilot)
        assert isinstance(app.screen, ChooseScreen)
        assert "blue and orange" in text_of(app)
        await pilot.press("escape")
        assert app.theme == "cryptostreamx-night"
        await pilot.press("T", "down", "enter")
        await app.workers.wait_for_complete()
        assert app.theme == "cryptostreamx-day"
    assert CryptoStreamX(FakeStack(), Clock(), None, kept).theme == "cryptostreamx-day"
    assert CryptoStreamX(FakeStack(), Clock(), Configuration(theme="contrast"), kept).theme == "cryptostreamx-contrast"
    kept.write_text("{")
    assert CryptoStreamX(FakeStack(), Clock(), None, kept).theme == "cryptostreamx-night"


@pytest.mark.parametrize("name", ["night", "day", "contrast", "colour-blind", "textual-light", "nord", "ansi-dark"])
async def test_every_theme_draws_every_pane(name: str) -> None:
    app = CryptoStreamX(FakeStack(), Clock(), Configuration(theme=name))
    async with app.run_test(size=(200, 60)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), *failing("sink"))
        for key in ("f9", "f3", "f1"):
            await pilot.press(key, "down")
            await tell(app, pilot)
        assert app.theme.endswith(name)
        assert "LIVE" in text_of(app)
