"""Text from outside reaches no terminal as anything but text."""

import re

import msgspec
import pytest

from pipeline.events import (
    ChildReport,
    DeadLettersRead,
    LogLine,
    ReadTrade,
    StackPhase,
    StepChanged,
    StepState,
    TradesRead,
    WindowsRead,
)
from pipeline.model import DeadLetter, Header, ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON, application, tell, text_of

HOSTILE = "A\x1b[31m\x1b]0;owned\x07\x00\u202eevil[/x][b]\x9b2J\n\r界"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def harmless(screen: str) -> bool:
    """Whether a terminal would only print this."""
    return UNSAFE.search(screen) is None


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_text_everywhere(size: tuple[int, int]) -> None:
    app, stack, _ = application()
    stack._symbols = (HOSTILE, "BTCUSDT")
    trade = msgspec.structs.replace(fakes.trade(1).trade, symbol=HOSTILE, event_type=HOSTILE)
    hostile_window = msgspec.structs.replace(fakes.window(1), symbol=HOSTILE)
    data = HOSTILE.encode("utf-8", "surrogatepass") + b"\xff\xfe"
    headers = tuple(Header(k, data) for k in ("error.reason", "error.detail", HOSTILE, "__connect.errors.topic"))
    async with app.run_test(size=size) as pilot:
        await tell(
            app,
            pilot,
            StepChanged(HOSTILE, HOSTILE, StepState.FAILED, HOSTILE, NOON),
            fakes.service(HOSTILE, NOON, ServiceState.FAILED, last_error=HOSTILE, log_path=HOSTILE, address=HOSTILE),
            StackPhase("failed", NOON, HOSTILE),
        )
        assert harmless(text_of(app))
        await tell(
            app,
            pilot,
            *fakes.streaming(NOON),
            fakes.producer(NOON, connected=False, feed_error=HOSTILE, refused={HOSTILE: 1}, symbols=(HOSTILE,)),
            TradesRead((ReadTrade(trade, 0, 1, NOON),) * 5, NOON),
            WindowsRead((hostile_window,), NOON),
            DeadLettersRead((DeadLetter("dlq-producer", 0, 1, NOON, data, data, headers),), NOON),
            ChildReport(HOSTILE, LogLine(level=HOSTILE, time=NOON, message=HOSTILE, reason=HOSTILE, symbol=HOSTILE)),
        )
        for key in "twhld":
            await pilot.press(key)
            await tell(app, pilot)
            assert harmless(text_of(app))
            await pilot.press("down", "y", "enter")
            await tell(app, pilot)
            assert harmless(text_of(app))
            assert harmless(app.clipboard.replace("\n", "").replace("\t", ""))
            await pilot.press("escape")
        await pilot.press("f6")
        await tell(app, pilot)
        assert harmless(text_of(app))
        stack.error = ValueError(HOSTILE)
        await pilot.press("1")
        await tell(app, pilot)
        assert harmless(text_of(app))
        assert "[/x]" in app.state.log.newest(0).message
