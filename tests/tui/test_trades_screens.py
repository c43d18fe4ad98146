"""The trades pane as it looks."""

from pipeline.events import ChildReport, FrameFound, TradesRead
from tests.tui import fakes
from tests.tui.fakes import NOON
from tests.tui.scenes import Scene, screens
from tests.tui.test_symbols import day, minutes

LIVE = [
    *fakes.started(NOON - 400_000),
    *minutes(360),
    *fakes.figures(NOON),
    day(0.034),
    fakes.trades(200, NOON, first=800),
]
FRAME = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723118670958,"s":"BTCUSDT","t":1998,"p":"61837.59000000",'
    '"q":"0.05440000","T":1723118670957,"m":true,"M":true}}'
)
NEWEST = TradesRead((fakes.trade(998, "BTCUSDT", NOON - 41),), NOON)
FILTERED = ("slash", *"btc", "space", *"sell", "space", *">1000", "enter")

SCENES: dict[str, Scene] = {
    "live": ({}, LIVE),
    "empty": ({}, fakes.started(NOON)),
    "stale": ({"later": 12_000}, LIVE),
    "filtered": ({"keys": FILTERED}, LIVE),
    "filter-wrong": ({"keys": ("slash", *"btc", "space", ">")}, LIVE),
    "filtered-frozen": ({"keys": (*FILTERED, "p"), "after": (fakes.trades(1234, NOON, first=1200),)}, LIVE),
    "opened": (
        {
            "keys": ("down", "enter", "end"),
            "after": (ChildReport("producer", FrameFound(symbol="BTCUSDT", trade_id=1998, frame=FRAME)),),
        },
        [*LIVE, NEWEST],
    ),
    "opened-asking": ({"keys": ("down", "enter", "end")}, [*LIVE, NEWEST]),
}

test_screen = screens(SCENES)
