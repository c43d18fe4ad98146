"""The whole screens as they look: an injected clock, scripted events, every scene at 80×24, 120×40 and 200×60."""

from pipeline.events import StackEvent, StackPhase, StepChanged, StepState
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON
from tests.tui.scenes import Scene, screens


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


def stopping() -> list[StackEvent]:
    """On the way out: the producer has flushed and ended, the servers still run."""
    return [
        StackPhase("stopping", NOON),
        fakes.service("producer", NOON, ServiceState.STOPPED),
        fakes.service("windows", NOON, ServiceState.STOPPING, since=NOON - 400),
    ]


LIVE = fakes.streaming(NOON)
SCENES: dict[str, Scene] = {
    "startup": ({}, half_started()),
    "startup-failed": ({}, failed_start()),
    "startup-unreachable": ({"keys": ("c",)}, [*LIVE, unreachable()]),
    "live": ({}, [*LIVE, fakes.letters(NOON), fakes.refusal(NOON)]),
    "simulated": ({"feed": "simulated"}, LIVE),
    "replay": ({"feed": "replay of trades.frames.gz"}, LIVE),
    "empty": ({}, fakes.started(NOON)),
    "frozen": ({"keys": ("down", "down", "down"), "after": (fakes.trades(1234, NOON, first=200),)}, LIVE),
    "stale": ({"later": 12_000}, LIVE),
    "unreachable": ({}, [*LIVE, unreachable()]),
    "failing": ({}, failing()),
    "maximised": ({"keys": ("w", "m")}, LIVE),
    "help": ({"keys": ("question_mark",)}, LIVE),
    "confirm": ({"keys": ("s",)}, [*LIVE, unreachable()]),
    "quit": ({"keys": ("q",), "after": tuple(stopping())}, LIVE),
}
test_screen = screens(SCENES)
