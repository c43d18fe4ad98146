"""The health pane as it looks: well, failing, stale, with nothing known, and its details and questions."""

from dataclasses import replace

from pipeline.events import StackEvent
from pipeline.inventory import GroupsSeen, RegistrySeen, StoreSeen, TopicsSeen
from pipeline.model import ServiceState
from tests.tui import fakes, health_fakes
from tests.tui.fakes import NOON
from tests.tui.scenes import Scene, screens

WELL = [*fakes.streaming(NOON), *health_fakes.inventory(NOON)]


def failing() -> list[StackEvent]:
    """A broker, the controller with it, the registry and ClickHouse are away; the producer was stopped by hand."""
    later = NOON + 6_000
    behind = tuple(replace(health_fakes.topic(name, 9, in_sync=(0, 2))) for name in health_fakes.NAMES)
    return [
        *WELL,
        fakes.service("kafka-1", NOON, ServiceState.FAILED, last_error="killed by SIGKILL", restarts=8),
        fakes.service("producer", NOON, ServiceState.STOPPED),
        fakes.service("clickhouse", NOON, ServiceState.BACKING_OFF, last_error="exit code 1", retry_at=NOON + 4_000),
        fakes.cluster(NOON, down=1),
        TopicsSeen(
            NOON, behind, config_time=NOON - 90_000, config_error="Timed out waiting for controller (_TIMED_OUT)"
        ),
        GroupsSeen(later, error="Timed out waiting for ListConsumerGroups (_TIMED_OUT)"),
        RegistrySeen(later, error="registry http://127.0.0.1:8081: could not list the subjects: Connection refused"),
        StoreSeen(later, error="ClickHouse does not answer: Connection refused"),
        *health_fakes.engines(NOON, waiting="Connection refused"),
    ]


def to(view: int, *more: str) -> tuple[str, ...]:
    """Return the keys to a view, by its number."""
    return ("h", *["v"] * view, *more)


SCENES: dict[str, Scene] = {
    "well": ({"keys": to(0)}, WELL),
    "well-maximised": ({"keys": to(0, "m")}, WELL),
    "topics": ({"keys": to(3, "down")}, WELL),
    "tables": ({"keys": to(7)}, WELL),
    "failing": ({"keys": to(0)}, failing()),
    "failing-groups": ({"keys": to(4)}, failing()),
    "stale": ({"keys": to(3), "later": 50_000}, WELL),
    "empty": ({"keys": to(2)}, fakes.started(NOON)),
    "topic": ({"keys": to(3, "down", "enter")}, WELL),
    "group": ({"keys": to(4, "down", "enter")}, WELL),
    "subject": ({"keys": to(5, "down", "enter")}, WELL),
    "stop": ({"keys": to(0, "end", "up", "up", "S")}, WELL),
}

test_screen = screens(SCENES)
