"""A screen that only watches as it looks: the pipeline running, and ended."""

from pipeline.events import StackPhase
from tests.tui import fakes
from tests.tui.fakes import NOON, FakeStack
from tests.tui.scenes import Scene, screens
from tests.tui.test_attached import gone


def attach(stack: FakeStack) -> None:
    """The pipeline is another instance's."""
    stack.settings = stack.settings.model_copy(update={"attach": True})


LIVE = fakes.streaming(NOON)
SCENES: dict[str, Scene] = {
    "attached": ({"prepare": attach}, LIVE),
    "attached-starting": ({"prepare": attach}, [StackPhase("starting", NOON - 2_000)]),
    "attached-ended": ({"prepare": attach, "after": tuple(gone()), "later": 12_000}, LIVE),
}
test_screen = screens(SCENES)
