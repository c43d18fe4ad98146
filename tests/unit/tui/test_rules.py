"""What each rule finds in the state, and what it does not know."""

from collections.abc import Iterable

import msgspec
import pytest

from cryptostreamx_tui.configuration import Alerts
from cryptostreamx_tui.rules import Answer, Check, checks
from cryptostreamx_tui.state import State
from pipeline.events import (
    ChildReport,
    ClusterSeen,
    DeadLettersRead,
    ExchangeStats,
    SinkStats,
    StackPhase,
    TradesRead,
    WindowsStats,
)
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON

MINUTE = 60_000


def rule(name: str, **more: object) -> Check:
    return next(check for check in checks(Alerts.model_validate(more)) if check.name == name)


def state(*events: object, phase: str = "running") -> State:
    made = State()
    made.want(("BTCUSDT", "ETHUSDT"))
    told: Iterable[object] = (StackPhase("starting", NOON - MINUTE), StackPhase(phase, NOON - MINUTE), *events)
    for event in told:
        made.apply(event, NOON)  # type: ignore[arg-type]
    return made


def words(answer: Answer, subject: str = "") -> str:
    finding = answer[subject]
    assert finding is not None
    assert finding.advice
    return finding.words


def lags(windows: int | None, sink: int | None) -> list[ChildReport]:
    events = [fakes.figures(NOON)[1], fakes.figures(NOON)[2]]
    made = []
    for event, lag in zip(events, (windows, sink), strict=True):
        assert isinstance(event, ChildReport)
        assert isinstance(event.event, WindowsStats | SinkStats)
        made.append(ChildReport(event.service, msgspec.structs.replace(event.event, lag=lag)))
    return made


def test_nothing_is_known_at_first_and_nothing_is_wrong_with_a_stack_in_good_health() -> None:
    """A figure that is not known is no zero and no trouble."""
    for check in checks(Alerts()):
        assert check.look(State(), NOON) in ({}, {"": None}), check.name
    well = state(*fakes.streaming(NOON))
    for check in checks(Alerts()):
        answer = check.look(well, NOON)
        assert answer, check.name
        assert set(answer.values()) == {None}, check.name


def test_rules_that_are_off_are_not_looked_at() -> None:
    off = {name: {"on": False} for name in Alerts.model_fields if name not in ("bell", "desktop", "price")}
    assert checks(Alerts.model_validate(off)) == []


# ---------------------------------------------------------------- the feed


def test_a_silent_feed() -> None:
    look = rule("feed stale").look
    silent = state(*fakes.streaming(NOON))
    assert look(silent, NOON + 14_000) == {"": None}
    assert words(look(silent, NOON + 16_000)) == "no trade for 16s"


def test_no_connection_says_why() -> None:
    look = rule("feed stale").look
    gone = state(fakes.producer(NOON, connected=False, feed_error="\x1b[31mrefused"))
    assert words(look(gone, NOON)) == "no connection to the exchange: \\x1b[31mrefused"
    assert look(gone, NOON + 10_000) == {}, "the producer is silent too: nobody knows"


def test_a_recording_that_ended_is_not_stale() -> None:
    ended = ExchangeStats(time=NOON, clients=1, frames_sent=10, faults={}, total=10, ended=True)
    made = state(*fakes.streaming(NOON), ChildReport("exchange", ended))
    made.feed = "replay of a.frames"
    assert rule("feed stale").look(made, NOON + 10**7) == {"": None}


@pytest.mark.parametrize("phase", ["starting", "stopping", "stopped"])
def test_what_is_starting_or_stopping_is_not_late(phase: str) -> None:
    made = state(fakes.trades(10, NOON - 10**6), phase=phase)
    assert rule("feed stale").look(made, NOON) == {}


def test_trades_of_an_earlier_run_count_from_when_this_one_was_up() -> None:
    made = state(fakes.trades(10, NOON - 10**8), StackPhase("running", NOON))
    assert rule("feed stale").look(made, NOON + 15_000) == {"": None}
    assert words(rule("feed stale").look(made, NOON + 15_001)) == "no trade for 15s"


def test_no_symbol_wanted_is_no_silence() -> None:
    made = state(*fakes.streaming(NOON))
    made.want(())
    assert rule("feed stale").look(made, NOON + 10**6) == {"": None}


# ---------------------------------------------------------------- lag, services, cluster


def test_lag_is_that_of_the_slower_one() -> None:
    look = rule("lag").look
    assert look(state(*lags(5_000, 0)), NOON) == {"": None}
    assert words(look(state(*lags(0, 5_001)), NOON)) == "5,001 records behind (limit 5,000)"


@pytest.mark.parametrize("known", [(None, 9_999), (9_999, None)])
def test_lag_that_is_half_unknown_is_unknown(known: tuple[int | None, int | None]) -> None:
    assert rule("lag").look(state(*lags(*known)), NOON) == {}


def test_lag_of_a_report_that_is_old_is_unknown() -> None:
    assert rule("lag").look(state(*lags(9_999, 9_999)), NOON + 5_001) == {}


def test_failed_services_by_name() -> None:
    look = rule("service failed").look
    made = state(
        fakes.service("kafka-1", NOON, ServiceState.FAILED, last_error="no \x1b[31mport"),
        fakes.service("sink", NOON, ServiceState.FAILED),
        fakes.service("producer", NOON),
        fakes.service("windows", NOON, ServiceState.STARTING),
    )
    answer = look(made, NOON)
    assert words(answer, "kafka-1") == "kafka-1 failed: no \\x1b[31mport"
    assert words(answer, "sink") == "sink failed: no reason given"
    assert answer["producer"] is None
    assert "windows" not in answer, "it may fail again"


def test_under_replicated_offline_and_no_answer() -> None:
    look = rule("under-replicated").look
    assert words(look(state(fakes.cluster(NOON, down=1)), NOON)).startswith("6 partitions under-replicated, 0 without")
    assert look(state(fakes.cluster(NOON, down=1)), NOON + 10_001) == {}, "an old look at the cluster"
    silent = ClusterSeen(time=NOON, error="timed out")
    assert words(look(state(silent), NOON)) == "no broker answers: timed out"
    assert look(state(silent, phase="starting"), NOON) == {}


# ---------------------------------------------------------------- what is counted


def test_only_dead_letters_of_this_run_are_new() -> None:
    look = rule("dead letters").look
    made = state(DeadLettersRead((), NOON))
    assert look(made, NOON) == {"": None}
    made.apply(fakes.letters(NOON - 10**6), NOON)
    assert look(made, NOON) == {"": None}, "they were there before"
    made.apply(fakes.letters(NOON), NOON)
    finding = look(made, NOON)[""]
    assert finding is not None
    assert (finding.words, finding.more) == ("new in dlq-producer: bad_number", 2)
    assert look(made, NOON) == {"": None}, "each is counted once"


def test_refusals_within_a_minute() -> None:
    look = rule("refused").look
    made = state(fakes.producer(NOON, refused={"not_json": 500}))
    assert look(made, NOON) == {"": None}, "what was refused before is not of this minute"
    for second in range(1, 90):
        now = NOON + second * 1000
        made.apply(fakes.producer(now, refused={"not_json": 500 + min(second, 10)}), now)
        found = look(made, now)[""]
        assert (found is not None) == (10 <= second < 61), second
    assert look(made, now + 60_000) == {}


def test_refusals_of_a_producer_that_was_started_again_are_all_new() -> None:
    look = rule("refused").look
    made = state(fakes.producer(NOON, refused={"not_json": 500}))
    look(made, NOON)
    made.apply(fakes.producer(NOON + 1000, refused={"\x1b]0;x": 12}), NOON + 1000)
    assert words(look(made, NOON + 1000)) == "12 frames refused within a minute, most of all \\x1b]0;x"


# ---------------------------------------------------------------- prices


def priced(price: float) -> State:
    return state(*fakes.streaming(NOON), TradesRead((fakes.trade(1, price=price),), NOON))


@pytest.mark.parametrize(
    ("price", "expected"),
    [(999.99, "BTCUSDT 999.99 is below 1,000.0"), (1000.0, None), (2000.0, None), (2000.01, "is above 2,000.0")],
)
def test_a_price_beyond_its_band(price: float, expected: str | None) -> None:
    answer = rule("price", price={"btcusdt": {"low": 1000.0, "high": 2000.0}}).look(priced(price), NOON)
    found = answer["BTCUSDT"]
    assert (found is None) == (expected is None)
    if found is not None:
        assert str(expected) in found.words


def test_a_price_that_is_stale_or_was_never_seen_is_unknown_and_one_that_is_off_is_nothing() -> None:
    look = rule("price", price={"BTCUSDT": {"low": 1000.0}}).look
    made = priced(1.0)
    assert look(made, NOON + 11_000) == {}
    assert rule("price", price={"XRPUSDT": {"low": 1.0}}).look(made, NOON) == {"XRPUSDT": None}
    made.want(("BTCUSDT", "SOLUSDT"))
    assert rule("price", price={"SOLUSDT": {"low": 1.0}}).look(made, NOON) == {}
    made.want(("ETHUSDT",))
    assert look(made, NOON) == {"BTCUSDT": None}
