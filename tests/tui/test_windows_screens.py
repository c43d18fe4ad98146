"""The windows' pane as it looks."""

from pipeline.events import LateWindow, WindowsRead
from tests.tui import fakes
from tests.tui.fakes import NOON
from tests.tui.scenes import Scene, screens
from tests.tui.window_story import MINUTE, NOW_MINUTE, closed, late, story

SCENES: dict[str, Scene] = {
    "tables": ({"keys": ("w",)}, story()),
    "candles of a symbol": ({"keys": ("w", "n", "v")}, story()),
    "empty": ({"keys": ("w",)}, [*fakes.started(NOON), *fakes.figures(NOON)]),
    "stale and frozen": (
        {
            "keys": ("w", "down", "down"),
            "later": 70_000,
            "after": (WindowsRead((closed("BTCUSDT", 0),), NOON + 70_000),),
        },
        [*story(), late(NOON, LateWindow("1m", "BTCUSDT", NOW_MINUTE - MINUTE, 12))],
    ),
}

test_screen = screens(SCENES)
