"""The alerts' pane and line, the help, and the screens in the other themes, as they look."""

from pipeline.events import StackEvent
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON
from tests.tui.scenes import Scene, screens


def troubles() -> list[StackEvent]:
    """A service that was given up, and dead letters."""
    error = "exit code 1: Address already in use"
    return [
        *fakes.streaming(NOON),
        fakes.service("kafka-1", NOON, ServiceState.FAILED, last_error=error, restarts=5),
        fakes.letters(NOON),
    ]


SCENES: dict[str, Scene] = {
    "alerts-empty": ({"keys": ("f9",)}, fakes.streaming(NOON)),
    "alerts-active": ({"keys": ("f9", "down")}, troubles()),
    "alerts-acknowledged": ({"keys": ("f9", "A"), "later": 3_000}, troubles()),
    "alerts-feed-stale": ({"keys": ("f9",), "later": 20_000}, fakes.streaming(NOON)),
    "alert-open": ({"keys": ("f9", "enter")}, troubles()),
    "alert-line": ({}, troubles()),
    "help-alerts": ({"keys": ("f9", "question_mark")}, fakes.streaming(NOON)),
    "themes": ({"keys": ("T",)}, fakes.streaming(NOON)),
    "day": ({"keys": ("T", "down", "enter")}, troubles()),
    "contrast": ({"keys": ("T", "down", "down", "enter")}, troubles()),
    "colour-blind": ({"keys": ("T", "down", "down", "down", "enter")}, troubles()),
}

test_alerts_screen = screens(SCENES)
