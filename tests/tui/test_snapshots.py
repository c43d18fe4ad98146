"""The screens as they look: an injected clock, scripted events, 80×24, 120×40 and 200×60.

After a change that is meant: ``pytest tests/tui --snapshot-update``, and look at every picture that changed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from pipeline.events import StackEvent, StackPhase, StepChanged, StepState
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON, application, tell

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
Compare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]


def scene(
    *events: StackEvent,
    keys: tuple[str, ...] = (),
    later: int = 0,
    after: tuple[StackEvent, ...] = (),
    feed: str = "live",
) -> tuple[Any, Before]:
    """Return an application and what happens to it: events, keys, time passing, more events."""
    app, _, clock = application(feed)

    async def happen(pilot: Pilot[Any]) -> None:
        await tell(app, pilot, *events)
        if keys:
            await pilot.press(*keys)
        clock.forward(later)
        await tell(app, pilot, *after)

    return app, happen


def half_started() -> list[StackEvent]:
    """In the middle of a start."""
    events: list[StackEvent] = [StackPhase("starting", NOON - 9_000)]
    events += [StepChanged(*step, time=NOON) for step in fakes.STEPS[:4]]
    events.append(StepChanged("topics", "binance_trade_agg_5m", StepState.RUNNING, "", NOON))
    events += [fakes.service(name, NOON) for name in fakes.SERVICES[:3]]
    events.append(fakes.service("kafka-2", NOON, ServiceState.STARTING, since=NOON - 2_100))
    events += [fakes.service(name, NOON, ServiceState.WAITING) for name in fakes.SERVICES[4:]]
    return events


def failed_start() -> list[StackEvent]:
    """A port is taken, and the registry refuses a schema."""
    error = "exit code 1: java.net.BindException: Address already in use (127.0.0.1:9093)"
    refusal = "409: Schema being registered is incompatible with an earlier schema for subject 'binance_trade-value'"
    return [
        *half_started(),
        fakes.service("kafka-1", NOON, ServiceState.FAILED, last_error=error, restarts=5),
        StepChanged("schemas", "binance_trade-value", StepState.FAILED, refusal, NOON),
        StackPhase("failed", NOON, "kafka-1 reached its start limit"),
    ]


def unreachable() -> StackEvent:
    """The live feed without a connection."""
    error = "[Errno -2] Name or service not known: stream.binance.com:9443"
    return fakes.producer(NOON, connected=False, feed_error=error, symbols=(), connected_since=None, last_frame=None)


def failing() -> list[StackEvent]:
    """Running, with a broker down for good, a sink that waits, and refusals."""
    error = "killed by signal 9 five times in a minute"
    return [
        *fakes.streaming(NOON),
        fakes.service("kafka-1", NOON, ServiceState.FAILED, last_error=error, restarts=5),
        fakes.service("sink", NOON, ServiceState.BACKING_OFF, last_error="exit code 1", retry_at=NOON + 4_000),
        fakes.cluster(NOON, down=1),
        fakes.producer(NOON, refused={"bad_number": 3, "missing_field": 1}),
        fakes.letters(NOON),
        fakes.refusal(NOON),
    ]


LIVE = fakes.streaming(NOON)
SCENES: dict[str, tuple[tuple[int, int], dict[str, Any], list[StackEvent]]] = {
    "startup": (SMALL, {}, half_started()),
    "startup-120": (MIDDLE, {}, half_started()),
    "startup-failed": (SMALL, {}, failed_start()),
    "startup-unreachable": (SMALL, {"keys": ("c",)}, [*LIVE, unreachable()]),
    "live": (SMALL, {}, LIVE),
    "live-120": (MIDDLE, {}, LIVE),
    "live-200": (LARGE, {}, [*LIVE, fakes.letters(NOON), fakes.refusal(NOON)]),
    "simulated": (SMALL, {"feed": "simulated"}, LIVE),
    "replay-120": (MIDDLE, {"feed": "replay of trades.frames.gz"}, LIVE),
    "empty": (SMALL, {}, fakes.started(NOON)),
    "empty-120": (MIDDLE, {}, fakes.started(NOON)),
    "frozen": (SMALL, {"keys": ("down", "down", "down"), "after": (fakes.trades(1234, NOON, first=200),)}, LIVE),
    "stale": (SMALL, {"later": 12_000}, LIVE),
    "stale-120": (MIDDLE, {"later": 12_000}, LIVE),
    "unreachable": (SMALL, {}, [*LIVE, unreachable()]),
    "failing-120": (MIDDLE, {}, failing()),
    "windows": (SMALL, {"keys": ("w",)}, LIVE),
    "health": (SMALL, {"keys": ("h",)}, failing()),
    "log": (SMALL, {"keys": ("l",)}, failing()),
    "dead": (SMALL, {"keys": ("d",)}, failing()),
    "symbols": (SMALL, {"keys": ("s", "down")}, LIVE),
    "letter": (SMALL, {"keys": ("d", "down", "enter")}, failing()),
    "letter-120": (MIDDLE, {"keys": ("d", "down", "down", "enter")}, failing()),
    "trade": (SMALL, {"keys": ("down", "enter")}, LIVE),
    "help": (SMALL, {"keys": ("question_mark",)}, LIVE),
    "confirm": (SMALL, {"keys": ("s",)}, [*LIVE, unreachable()]),
}


@pytest.mark.parametrize("name", list(SCENES))
def test_screen(snap_compare: Compare, name: str) -> None:
    size, more, events = SCENES[name]
    app, before = scene(*events, **more)
    assert snap_compare(app, terminal_size=size, run_before=before)
