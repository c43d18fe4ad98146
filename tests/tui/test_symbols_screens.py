"""The symbols pane as it looks."""

from pipeline.feed.rest import RestError
from tests.tui import fakes
from tests.tui.fakes import NOON, FakeStack
from tests.tui.scenes import Scene, screens
from tests.tui.test_symbols import day, listed, minutes

KNOWN = [
    *fakes.started(NOON - 400_000),
    *minutes(360),
    *fakes.figures(NOON),
    day(0.034),
    fakes.trades(20, NOON, first=800),
]


def unreachable(stack: FakeStack) -> None:
    assert stack.desk is not None
    stack.desk.error = RestError("https://api.binance.com: [Errno -2] Name or service not known")


SCENES: dict[str, Scene] = {
    "known": ({"keys": ("s", "down")}, KNOWN),
    "begun": ({"keys": ("s",)}, fakes.streaming(NOON)),
    "empty": ({"keys": ("s",)}, fakes.started(NOON)),
    "stale": ({"keys": ("s",), "later": 12_000}, KNOWN),
    "waiting": (
        {
            "keys": ("s", "down", "down", "down", "space", "down", "space"),
            "after": (fakes.producer(NOON, pending=("SOLUSDT",), unlisted=("BNBUSDT",)),),
        },
        KNOWN,
    ),
    "add": ({"keys": ("s", "a", *"do"), "prepare": listed}, KNOWN),
    "add-unchecked": ({"keys": ("s", "a", *"ada", "enter"), "prepare": unreachable}, KNOWN),
}

test_screen = screens(SCENES)
