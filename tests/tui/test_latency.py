"""The page with the latencies by stage, and the status line's share of them."""

import pytest

from cryptostreamx_tui.screens.latency import LatencyScreen
from pipeline.events import ClockOffset, WindowsRead
from tests.tui import fakes
from tests.tui.fakes import NOON, application, pressed, streaming, tell, text_of

OFFSET = ClockOffset(ms=-12, uncertainty=3, measured_at=NOON - 40_000)


def report(now: int) -> object:
    return fakes.producer(now, received_after={21: 9, 48: 1}, acknowledged_after={24: 9, 51: 1}, clock_offset=OFFSET)


async def test_the_page_opens_by_its_key_follows_and_closes() -> None:
    pressed("main", "latency")
    app, _, clock = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *streaming(clock()))
        await tell(app, pilot, report(clock()))  # type: ignore[arg-type]
        await pilot.press("L")
        assert isinstance(app.screen, LatencyScreen)
        assert "exchange → received" in text_of(app)
        assert "p50 21 ms   p99 48 ms   of 10" in text_of(app)
        assert "−12 ±3 ms" in text_of(app)
        clock.forward(1_000)
        await tell(app, pilot, report(clock()))  # type: ignore[arg-type]
        assert "of 20" in text_of(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, LatencyScreen)


@pytest.mark.parametrize(
    ("size", "there", "absent"),
    [
        ((80, 24), "seen in ", "acked"),
        ((120, 40), "acked 24/51 ms", "clock −12"),
        ((200, 60), "clock −12 ±3 ms", "∞"),
    ],
)
async def test_the_status_line_shows_the_stages_there_is_room_for(
    size: tuple[int, int], there: str, absent: str
) -> None:
    app, _, clock = application()
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *streaming(clock()))
        await tell(app, pilot, report(clock()))  # type: ignore[arg-type]
        status = text_of(app).splitlines()[0]
    assert there in status
    assert absent not in status
    assert status.rstrip().endswith("12:04:31Z"), "nothing is cut off"


async def test_drawn_trades_are_what_is_measured() -> None:
    app, _, clock = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *streaming(clock()))
        await tell(app, pilot, fakes.trades(50, clock(), first=900))
        found = app.state.latencies.on_screen.quantiles(clock())
        assert found is not None
        assert found.p50 >= 41
        await pilot.press("question_mark")
        await tell(app, pilot, fakes.trades(50, clock(), first=1_000))
        assert app.state.latencies.on_screen.quantiles(clock()) == found, "no price is in sight beside the help"


async def test_a_window_counts_when_a_table_of_windows_is_in_sight() -> None:
    app, _, clock = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *streaming(clock()))
        clock.forward(200_000)
        closed = WindowsRead((fakes.window(4),), clock())
        await tell(app, pilot, closed)
        assert app.state.latencies.windows.quantiles(clock()) is None
        await pilot.press("w")
        await tell(app, pilot, WindowsRead((fakes.window(5),), clock()))
        found = app.state.latencies.windows.quantiles(clock())
        assert found is not None
        assert found.number == 1
