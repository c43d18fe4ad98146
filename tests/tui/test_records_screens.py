"""Messages, dead letters and the log as they look; see ``tests.tui.scenes``."""

from pipeline.broker.ranges import BrowseError
from pipeline.broker.replay import Plan
from pipeline.broker.replayed import SENT, Mark, identity
from tests.tui import broker, fakes
from tests.tui.fakes import NOON, FakeStack
from tests.tui.scenes import Scene, screens
from tests.tui.test_logs import LINES

CONNECT, PRODUCER = fakes.letters(NOON).letters
LIVE = fakes.streaming(NOON)
LETTERS = [*LIVE, fakes.letters(NOON)]


def topics(stack: FakeStack) -> None:
    """The topics of a running pipeline."""
    assert stack.desk is not None
    stack.desk.broker = broker.trading(NOON)


def away(stack: FakeStack) -> None:
    """No broker answers."""
    topics(stack)
    assert stack.desk is not None
    stack.desk.error = BrowseError("Failed to get metadata: Local: Broker transport failure (_TRANSPORT)")


def replayed(stack: FakeStack) -> None:
    """A letter was replayed before."""
    assert stack.desk is not None
    place, stamp = identity(PRODUCER)
    stack.desk.broker.marks[place, stamp] = Mark(place, stamp, SENT, NOON - 60_000, "binance_trade/0@4711")


def refused(stack: FakeStack) -> None:
    """A dry run that says no."""
    assert stack.desk is not None
    stack.desk.broker.plan = Plan(PRODUCER, "it would be refused again: bad_number: p = 'NaN' is no plain decimal")


SCENES: dict[str, Scene] = {
    "message-topics": ({"keys": ("b",), "prepare": topics}, LIVE),
    "messages": ({"keys": ("b", "down", "enter", "down"), "prepare": topics}, LIVE),
    "messages-following": ({"keys": ("b", "down", "enter", "f"), "prepare": topics}, LIVE),
    "messages-search": ({"keys": ("b", "down", "enter", "F", *"eth", "enter"), "prepare": topics}, LIVE),
    "messages-away": ({"keys": ("b",), "prepare": away}, LIVE),
    "message": ({"keys": ("b", "down", "enter", "down", "enter"), "prepare": topics}, LIVE),
    "letters-replayed": ({"keys": ("d",), "prepare": replayed}, LETTERS),
    "letters-filtered": ({"keys": ("d", "v", "slash", *"nan")}, LETTERS),
    "letter-dry-run": ({"keys": ("d", "X")}, LETTERS),
    "letter-refused-again": ({"keys": ("d", "X"), "prepare": refused}, LETTERS),
    "log-errors": ({"keys": ("l", "v")}, [*LIVE, *LINES]),
}

test_screen = screens(SCENES)
