import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.state import TRADES_KEPT, State
from cryptostreamx_tui.summary import Rate
from cryptostreamx_tui.windows import KEPT
from pipeline.events import (
    ChildReport,
    DeadLettersRead,
    Failed,
    LogLine,
    ReaderTrouble,
    ReadTrade,
    StackPhase,
    StepChanged,
    StepState,
    TradesRead,
    WindowsRead,
)
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON


def live(*events: object) -> State:
    state = State()
    state.want(("BTCUSDT", "ETHUSDT"))
    for event in events:
        state.apply(event, NOON)  # type: ignore[arg-type]
    return state


@given(st.lists(st.lists(st.integers(), max_size=30), max_size=10), st.integers(1, 20))
def test_ring_is_the_end_of_everything_it_took(batches: list[list[int]], size: int) -> None:
    ring: Ring[int] = Ring(size)
    every: list[int] = []
    for batch in batches:
        ring.extend(batch, len(batch))
        every += batch
    assert ring.snapshot() == every[-size:]
    assert ring.end == len(every)
    assert [ring.newest(i) for i in range(len(ring))] == every[-size:][::-1]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=20))
def test_trades_are_counted_by_symbol(sizes: list[int]) -> None:
    state = live()
    first = 0
    for size in sizes:
        state.apply(fakes.trades(size, NOON, first=first), NOON)
        first += size
    assert state.trades.end == first
    assert len(state.trades) == min(first, TRADES_KEPT)
    assert set(state.symbols) <= {"BTCUSDT", "ETHUSDT"}


def test_a_batch_larger_than_the_ring_is_counted_whole() -> None:
    state = live(fakes.trades(TRADES_KEPT + 500, NOON))
    assert len(state.trades) == TRADES_KEPT
    assert state.trades.end == TRADES_KEPT + 500
    assert state.trades.newest(0)[0].offset == TRADES_KEPT + 499


def test_price_direction_change_and_age() -> None:
    state = live()
    for i, price in enumerate((100.0, 101.0, 101.0, 100.5)):
        state.apply(TradesRead((fakes.trade(i, at=NOON + i, price=price),), NOON + i), NOON + i)
    summary = state.symbols["BTCUSDT"]
    assert summary.rising is False
    assert summary.change(NOON, 60) is None, "a minute has not been seen"
    assert summary.age(NOON + 4003) == 4000


def test_age_goes_by_receiving_not_by_event_time() -> None:
    """A replay carries event times of years ago, and is not stale for that."""
    now = NOON + 10**11
    state = live()
    read = fakes.trade(1, at=NOON)
    fresh = ReadTrade(msgspec.structs.replace(read.trade, received_time=now), 0, 1, now)
    state.apply(TradesRead((fresh,), now), now)
    assert state.stale("BTCUSDT", now + 9_000) is None
    assert state.stale("BTCUSDT", now + 11_000) == 11_000


def test_only_wanted_symbols_go_stale() -> None:
    state = live(fakes.trades(10, NOON, ("BTCUSDT", "BNBUSDT")))
    assert state.stale("BTCUSDT", NOON + 60_000) is not None
    assert state.stale("BNBUSDT", NOON + 60_000) is None
    assert state.stale("SOLUSDT", NOON + 60_000) is None


def test_subscription_waits_for_the_exchange() -> None:
    state = live()
    assert state.subscription("BTCUSDT") == "subscribing…"
    state.apply(fakes.producer(NOON), NOON)
    assert state.subscription("BTCUSDT") == "on"
    state.want(("BTCUSDT",))
    assert state.subscription("ETHUSDT") == "leaving…"
    assert state.subscription("SOLUSDT") == "off"


def test_unknown_is_none_never_zero() -> None:
    state = live()
    assert state.lag is None
    assert state.refused is None
    assert state.dead_letters is None
    assert state.latency(NOON) is None
    assert state.feed_age(NOON) is None
    assert state.rate.value(NOON) is None
    state.apply(fakes.figures(NOON)[1], NOON)
    assert state.lag is None, "the sink's is not known yet"
    state.apply(fakes.figures(NOON)[2], NOON)
    assert state.lag == 0


def test_latency_is_taken_when_the_screen_was_drawn() -> None:
    state = live(fakes.trades(500, NOON))
    assert state.latency(NOON) is None
    state.drawn(NOON + 30)
    latency = state.latency(NOON + 30)
    assert latency is not None
    assert 71 <= latency[0] <= latency[1] <= 1071
    assert state.latency(NOON + 70_000) is None


def test_a_window_that_comes_again_is_shown_once() -> None:
    one, two = fakes.window(1), fakes.window(1, size_ms=300_000)
    state = live(WindowsRead((one, two), NOON), WindowsRead((one,), NOON))
    assert [row.window for row in state.windows.ring("1m").snapshot()] == [one]
    assert [row.window for row in state.windows.ring("5m").snapshot()] == [two]


def test_windows_are_bounded() -> None:
    state = live(WindowsRead(tuple(fakes.window(i) for i in range(KEPT + 50)), NOON))
    assert len(state.windows.ring("1m")) == KEPT
    assert state.windows.ring("1m").newest(0).window == fakes.window(KEPT + 49)


def test_dead_letters_by_topic_and_reason() -> None:
    state = live(fakes.letters(NOON), fakes.letters(NOON))
    assert state.dead_reasons["dlq-producer", "bad_number"] == 2
    assert state.dead_letters == 4


def test_no_dead_letters_read_is_a_known_zero() -> None:
    assert live(DeadLettersRead((), NOON)).dead_letters == 0


def test_log_takes_lines_failures_and_reader_trouble() -> None:
    state = live(
        fakes.refusal(NOON),
        ChildReport("sink", Failed(reason="no registry")),
        ReaderTrouble(NOON, "Broker transport failure"),
        ReaderTrouble(NOON, None),
        ChildReport("producer", LogLine(level="ERROR", time=NOON, message="x")),
    )
    assert [(e.service, e.level) for e in state.log.snapshot()] == [
        ("producer", "WARNING"),
        ("sink", "CRITICAL"),
        ("reader", "ERROR"),
        ("producer", "ERROR"),
    ]
    assert state.trouble is None


def test_unreachable_only_for_the_live_feed_without_connection() -> None:
    state = live(fakes.producer(NOON, connected=False, feed_error="no route to host"))
    assert state.needs_retry
    seen = [state.unreachable]
    state.feed = "simulated"
    seen.append(state.unreachable)
    state.feed = "live"
    state.apply(fakes.producer(NOON), NOON)
    seen.append(state.unreachable)
    assert seen == ["no route to host", None, None]


def test_failed_services_and_steps_want_a_retry() -> None:
    state = live(fakes.service("kafka-1", NOON, ServiceState.FAILED, last_error="x"))
    assert [s.name for s in state.failed_services] == ["kafka-1"]
    assert state.needs_retry
    state = live(StepChanged("topics", "t", StepState.FAILED, "no", NOON))
    assert state.needs_retry
    state.apply(StepChanged("topics", "t", StepState.DONE, "", NOON), NOON)
    assert not state.needs_retry


def test_steps_are_timed_from_their_last_beginning() -> None:
    state = State()
    for at, step in (
        (0, StepState.RUNNING),
        (2_000, StepState.FAILED),
        (5_000, StepState.RUNNING),
        (5_700, StepState.DONE),
    ):
        state.apply(StepChanged("topics", "t", step, "", at), at)
    timed = state.steps["topics", "t"]
    assert (timed.began, timed.ended) == (5_000, 5_700)


def test_another_run_begins_empty() -> None:
    """After the change to the simulated feed nothing of the live one may stay on the screen."""
    state = live(*fakes.streaming(NOON), StackPhase("stopping", NOON), StackPhase("stopped", NOON))
    assert state.trades.end == 200
    before = dict(state.revision)
    state.apply(StackPhase("starting", NOON + 1), NOON + 1)
    assert state.trades.end == 0
    assert not state.symbols
    assert state.producer is None
    assert state.started == NOON + 1
    assert state.wanted == ("BTCUSDT", "ETHUSDT")
    assert all(state.revision[topic] > number for topic, number in before.items())


def test_rate_is_over_whole_seconds() -> None:
    rate = Rate()
    for tenth in range(100):
        rate.add(50, NOON + tenth * 100)
    assert rate.value(NOON + 9_950) == 500
    assert rate.value(NOON + 60_000) == 0
