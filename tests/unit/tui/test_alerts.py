"""Raised, acknowledged, cleared: nothing flaps, and ignorance changes nothing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.alerts import KEPT, Alert, AlertBook
from cryptostreamx_tui.rules import Answer, Check, Finding
from cryptostreamx_tui.state import State
from tests.tui.fakes import NOON

HOLD, CLEAR = 3, 4
WRONG, WELL, UNKNOWN = "wrong", "well", "unknown"


class Told:
    """A rule that finds what it is told."""

    def __init__(self) -> None:
        self.now = UNKNOWN
        self.more = 0

    def look(self, state: State, now: int) -> Answer:
        if self.now == UNKNOWN:
            return {}
        return {"": Finding("it is wrong", "mend it", self.more) if self.now == WRONG else None}


def book(*, stays: bool = False, hold: float = HOLD) -> tuple[AlertBook, Told]:
    rule = Told()
    return AlertBook([Check("rule", rule.look, hold, CLEAR, stays)]), rule


def seconds(made: AlertBook, rule: Told, start: int, *findings: str) -> list[Alert]:
    """Look once a second; return what was raised."""
    raised = []
    for index, finding in enumerate(findings):
        rule.now = finding
        raised += made.look(State(), NOON + (start + index) * 1000)
    return raised


def test_it_must_hold_before_it_is_raised() -> None:
    made, rule = book()
    assert seconds(made, rule, 0, *[WRONG] * 3) == []
    [alert] = seconds(made, rule, 3, WRONG)
    assert (alert.first, alert.raised, alert.count) == (NOON, NOON + 3000, 1)
    assert alert.status == "active"
    assert seconds(made, rule, 4, *[WRONG] * 5) == [], "raised once"
    assert made.active[0].last == NOON + 8000


def test_it_must_be_over_before_it_is_cleared_and_what_comes_back_is_the_same() -> None:
    made, rule = book()
    seconds(made, rule, 0, *[WRONG] * 4, WELL, WELL, WELL, WRONG, WELL)
    [alert] = made.active
    assert alert.count == 2
    seconds(made, rule, 9, *[WELL] * 4)
    [alert] = made.all()
    assert (alert.status, alert.cleared, alert.count) == ("cleared", NOON + 12_000, 2)
    assert alert.lasts(NOON + 10**6) == 12_000
    assert made.active == []


def test_the_unknown_raises_nothing_and_clears_nothing() -> None:
    made, rule = book()
    assert seconds(made, rule, 0, *[UNKNOWN] * 60) == []
    assert seconds(made, rule, 60, WRONG, WRONG, UNKNOWN, WRONG, WRONG) == [], "what was unknown did not hold"
    seconds(made, rule, 65, WRONG, WRONG)
    seconds(made, rule, 67, *[UNKNOWN] * 600)
    assert [alert.status for alert in made.active] == ["active"]
    seconds(made, rule, 667, WELL, WELL, WELL, UNKNOWN, WELL, WELL, WELL)
    assert made.active, "nor was it known to be well all the time"


def test_acknowledged_stays_until_it_is_cleared_and_the_next_one_calls_again() -> None:
    made, rule = book()
    seconds(made, rule, 0, *[WRONG] * 4)
    assert made.acknowledge(1, NOON + 4000)
    assert not made.acknowledge(1, NOON + 5000), "once is enough"
    seconds(made, rule, 5, *[WRONG] * 10, WELL, WRONG, UNKNOWN)
    assert [alert.status for alert in made.active] == ["acknowledged"]
    assert made.calling == []
    seconds(made, rule, 18, *[WELL] * 5, *[WRONG] * 4)
    assert [(alert.number, alert.status) for alert in made.all()] == [(2, "active"), (1, "cleared")]
    assert [alert.number for alert in made.calling] == [2]


def test_what_happens_stays_until_it_was_seen() -> None:
    made, rule = book(stays=True, hold=0)
    rule.more = 3
    seconds(made, rule, 0, WRONG, *[WELL] * 600, WRONG)
    [alert] = made.active
    assert alert.count == 6
    made.acknowledge_all(NOON + 602_000)
    seconds(made, rule, 603, *[WELL] * 5)
    assert made.active == []


def test_all_are_acknowledged_at_once_and_counted() -> None:
    rules = [Told(), Told()]
    made = AlertBook([Check(str(i), rule.look, 0, 0) for i, rule in enumerate(rules)])
    for rule in rules:
        rule.now = WRONG
    made.look(State(), NOON)
    before = made.revision
    assert made.acknowledge_all(NOON) == 2
    assert made.revision > before
    assert made.acknowledge_all(NOON) == 0


def test_history_is_bounded() -> None:
    rule = Told()
    made = AlertBook([Check("rule", rule.look, 0, 0)])
    seconds(made, rule, 0, *[WRONG, WELL] * (KEPT + 50))
    assert len(made.all()) == KEPT
    assert made.all()[0].number == KEPT + 50


FINDINGS = st.lists(st.sampled_from([WRONG, WELL, UNKNOWN]), max_size=120)


@given(FINDINGS)
def test_no_flapping_within_the_hold_times(findings: list[str]) -> None:
    made, rule = book()
    raised = seconds(made, rule, 0, *findings)
    for alert in raised:
        second = (alert.raised - NOON) // 1000
        assert findings[second - HOLD : second + 1] == [WRONG] * (HOLD + 1)
    for alert in made.all():
        if alert.cleared is not None:
            second = (alert.cleared - NOON) // 1000
            assert findings[second - CLEAR : second + 1] == [WELL] * (CLEAR + 1)
    assert len(made.active) <= 1
    times = sorted(alert.raised for alert in raised)
    assert all(later - earlier > (HOLD + CLEAR) * 1000 for earlier, later in pairwise(times))


@given(FINDINGS, st.integers(0, 120))
def test_acknowledged_stays_acknowledged_until_cleared(findings: list[str], when: int) -> None:
    made, rule = book()
    seen: set[int] = set()
    for index, finding in enumerate(findings):
        seconds(made, rule, index, finding)
        if index >= when:
            seen |= {alert.number for alert in made.calling}
            made.acknowledge_all(NOON + index * 1000)
            assert made.calling == []
    for alert in made.all():
        if alert.number in seen:
            assert alert.acknowledged is not None
    numbers = [alert.number for alert in made.all()]
    assert numbers == sorted(numbers, reverse=True)
