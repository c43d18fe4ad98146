"""A screen that only watches: the word on every screen, the end said plainly, and a way out that stops nothing."""

from collections.abc import Callable

import pytest

from cryptostreamx_tui import cli
from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.screens.stopping import StoppingScreen
from pipeline.attach import place
from pipeline.attach.watched import ENDED
from pipeline.events import ReaderTrouble, StackEvent, StackPhase, SymbolsWanted
from pipeline.home import Home
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON, FakeStack, application, tell, text_of

LIVE = fakes.streaming(NOON)
NO_FEED = fakes.producer(NOON, connected=False, feed_error="no route", symbols=(), connected_since=None)


def attached() -> tuple[CryptoStreamX, FakeStack, fakes.Clock]:
    app, stack, clock = application()
    stack.settings = stack.settings.model_copy(update={"attach": True})
    return app, stack, clock


def gone() -> list[StackEvent]:
    return [
        *(fakes.service(name, NOON, ServiceState.STOPPED) for name in fakes.SERVICES),
        ReaderTrouble(NOON, ENDED),
        StackPhase("stopped", NOON, ENDED),
    ]


@pytest.mark.parametrize("keys", [(), ("c",), ("question_mark",), ("down", "enter"), ("h",), ("m",)])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_screen_says_that_it_is_attached(keys: tuple[str, ...], size: tuple[int, int]) -> None:
    app, _, _ = attached()
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *LIVE)
        await pilot.press(*keys)
        await tell(app, pilot)
        assert " attached" in text_of(app).splitlines()[0] + text_of(app).splitlines()[1]


async def test_an_owner_s_screen_does_not() -> None:
    app, _, _ = application()
    async with app.run_test(size=(200, 60)) as pilot:
        await tell(app, pilot, *LIVE)
        assert "attached" not in text_of(app)
        assert "q leave" not in text_of(app)


async def test_q_leaves_at_once_and_says_that_the_pipeline_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    app, stack, _ = attached()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *LIVE)
        assert "q leave" in text_of(app)
        await pilot.press("q")
        await app.workers.wait_for_complete()
        assert not any(isinstance(screen, StoppingScreen) for screen in app.screen_stack)
    assert stack.last() == ("stop", None)  # of the watching: AttachedStack stops nothing else
    assert app.return_value == 0
    told = capsys.readouterr().err.replace("\n", "")  # wrapped where the path is long
    assert told.replace(" ", "") == f"The pipeline goes on running in {stack.settings.home}.".replace(" ", "")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_end_is_said_plainly(size: tuple[int, int]) -> None:
    app, _, clock = attached()
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *LIVE)
        assert "● LIVE attached" in text_of(app)
        await tell(app, pilot, *gone())
        screen = text_of(app)
        assert "The pipeline that was watched has ended" in screen
        assert "✗ ENDED attached" in screen
        assert "LIVE" not in screen
        clock.forward(12_000)
        await tell(app, pilot)
        assert "STALE" in text_of(app)


async def test_the_next_pipeline_begins_on_a_clean_screen() -> None:
    app, _, clock = attached()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *LIVE, fakes.letters(NOON), *gone())
        clock.forward(60_000)
        await tell(app, pilot, *fakes.started(clock()))
        screen = text_of(app)
        assert "has ended" not in screen
        assert "61,837" not in screen
        assert app.state.dead_letters is None
        assert "VALUE_CONVERTER" not in screen


async def test_the_feed_cannot_be_changed_from_here() -> None:
    app, stack, _ = attached()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *LIVE, NO_FEED)
        assert "r retry" in text_of(app)
        assert "simulated exchange" not in text_of(app)
        await pilot.press("r")
        await pilot.pause()
        assert stack.last() == ("retry", None)
        await tell(app, pilot, *gone())
        await pilot.press("r")
        assert stack.asked.count(("retry", None)) == 1


async def test_symbols_that_another_screen_chose_are_shown() -> None:
    app, _, _ = attached()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *LIVE, SymbolsWanted(("ETHUSDT", "SOLUSDT"), NOON))
        assert app.state.wanted == ("ETHUSDT", "SOLUSDT")
        assert app.state.subscription("BTCUSDT") == "leaving…"
        assert app.state.subscription("SOLUSDT") == "subscribing…"


def test_nothing_to_attach_to_is_a_usage_error(
    home_at: Callable[[str], Home], capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_at("live")
    assert cli.main(["--attach", "--home", str(home.path)]) == 2
    told = capsys.readouterr().err
    assert f"no instance runs in {home.path}" in told
    assert "--headless" in told


def test_an_instance_next_door_is_named(home_at: Callable[[str], Home], capsys: pytest.CaptureFixture[str]) -> None:
    home, other = home_at("live"), home_at("simulated")
    with place.bind(other) as made:
        made.listen()
        assert cli.main(["--attach", "--home", str(home.path)]) == 2
    assert f"--attach --home {other.path}" in capsys.readouterr().err


def test_attach_and_headless_do_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--attach", "--headless"]) == 2
    assert "attach: it watches on a screen" in capsys.readouterr().err


@pytest.fixture
def home_at(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Home]:
    folder = tmp_path_factory.mktemp("homes")

    def make(name: str) -> Home:
        home = Home(folder / name)
        home.create()
        return home

    return make
