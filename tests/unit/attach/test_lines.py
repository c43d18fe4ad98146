"""Every event that is told comes back as it was, whatever classes there are."""

import typing
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.attach.lines import (
    READ,
    Answer,
    AnyOrder,
    Hello,
    Retry,
    SetSymbols,
    line_of,
    line_of_order,
    order_in,
    told_in,
)
from pipeline.events import AnyChildEvent, ChildReport, StackEvent
from tests.unit.attach.made import values_of

TOLD = [kind for kind in get_args(StackEvent) if kind not in READ]
HELLO = Hello(
    version="0",
    pid=1,
    feed="live",
    feed_setting="live",
    known=("A", "币安人生USDT"),
    wanted=("A",),
    addresses={"x": "y"},
)


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_event_comes_back_as_it_was(kind: Any, data: st.DataObject) -> None:
    event = data.draw(values_of(kind))
    line = line_of(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert told_in(line) == event
    assert type(told_in(line)) is kind


@pytest.mark.parametrize("kind", get_args(AnyChildEvent), ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_child_s_report_comes_back_with_its_kind(kind: Any, data: st.DataObject) -> None:
    report = ChildReport("sink", data.draw(values_of(kind)))
    assert told_in(line_of(report)) == report


@pytest.mark.parametrize("told", [HELLO, Answer(3), Answer(4, "no such service")])
def test_what_is_told_besides_comes_back(told: Hello | Answer) -> None:
    assert told_in(line_of(told)) == told


@pytest.mark.parametrize("kind", get_args(AnyOrder), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_an_order_comes_back_as_it_was(kind: Any, data: st.DataObject) -> None:
    order = data.draw(values_of(kind))
    assert order_in(line_of_order(order)) == order


def test_an_event_of_a_newer_version_is_nothing() -> None:
    assert told_in(b'{"type":"TimeTravelled","event":{"years":3}}\n') is None


def test_an_order_with_more_in_it_than_is_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        order_in(b'{"order":"retry","number":1,"force":true}')
    assert order_in(b'{"order":"retry","number":1}') == Retry(number=1)
    assert order_in(b'{"order":"set_symbols","number":2,"symbols":["A"]}') == SetSymbols(number=2, symbols=("A",))


def test_nothing_that_is_read_from_kafka_is_told() -> None:
    assert {kind.__name__ for kind in READ} >= {"TradesRead", "WindowsRead", "DeadLettersRead", "ReaderTrouble"}
    assert all(get_origin(kind) is not UnionType for kind in TOLD)
    assert typing.get_type_hints(TOLD[0])
