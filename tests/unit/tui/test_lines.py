"""Checklist, stages, details and columns: what stands there, and that nothing hostile does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.checklist import checklist, progress
from cryptostreamx_tui.details import (
    log_detail,
    service_detail,
    trade_detail,
    window_detail,
)
from cryptostreamx_tui.format import Span, plain
from cryptostreamx_tui.stages import stages
from cryptostreamx_tui.state import LogEntry, State
from cryptostreamx_tui.widgets.bars import feed_words
from cryptostreamx_tui.widgets.columns import Column, Layout, NumberColumn
from pipeline.events import ChildReport, ExchangeStats, SinkStats, StackEvent, StepChanged, StepState
from pipeline.model import ServiceState
from tests.tui import fakes
from tests.tui.fakes import NOON


def told(*events: StackEvent) -> State:
    state = State()
    state.want(("BTCUSDT", "ETHUSDT"))
    for event in events:
        state.apply(event, NOON)
    return state


def text_of(lines: list[list[Span]]) -> str:
    return "\n".join(plain(line).rstrip() for line in lines)


def test_checklist_shows_every_step_with_its_result() -> None:
    shown = text_of(checklist(told(*fakes.started(NOON)), NOON, 120, 100))
    assert "✓ kafka 3.9.1" in shown
    assert "exists" in shown
    assert "≠ dlq-producer" in shown
    assert "retention.ms is 604800000, wanted -1" in shown
    assert "✓ kafka-0" in shown


def test_checklist_folds_what_is_done_where_there_is_little_room() -> None:
    state = told(*fakes.started(NOON))
    state.apply(fakes.service("sink", NOON, ServiceState.STARTING), NOON)
    lines = checklist(state, NOON, 80, 18)
    assert len(lines) <= 18
    shown = text_of(lines)
    assert "… sink" in shown
    assert "Downloads                  2 of 2" in shown
    assert "kafka 3.9.1" not in shown


def test_checklist_shows_all_of_a_servers_error() -> None:
    error = "TOPIC_EXISTS: " + "a long story " * 20 + "the end"
    shown = text_of(checklist(told(StepChanged("topics", "t", StepState.FAILED, error, NOON)), NOON, 80, 20))
    assert "✗ t " in shown
    assert " ".join(shown.split()).endswith("the end")


def test_a_failed_service_names_reason_and_log() -> None:
    state = told(fakes.service("kafka-1", NOON, ServiceState.FAILED, last_error="bind: address in use"))
    shown = text_of(checklist(state, NOON, 160, 20))
    assert "FAILED" in shown
    assert "bind: address in use (log: " in shown
    assert progress(state, NOON) == (0, 1)


def test_stages_are_unknown_before_anything_reported() -> None:
    assert {stage.tone for stage in stages(told(), NOON)} == {"dim"}
    assert all(stage.words == ("–",) for stage in stages(told(), NOON))


def test_stages_of_a_stack_in_good_health() -> None:
    state = told(*fakes.streaming(NOON))
    assert [(stage.name, stage.tone) for stage in stages(state, NOON)] == [
        (name, "good") for name in ("feed", "quality", "kafka", "windows", "clickhouse")
    ]


def test_a_dead_broker_is_seen() -> None:
    state = told(*fakes.streaming(NOON), fakes.cluster(NOON, down=1))
    kafka = stages(state, NOON)[2]
    assert kafka.tone == "warn"
    assert kafka.words[:3] == ("2/3 brokers", "in-sync 12/18", "6 under-replicated")


def test_old_figures_are_stale_not_live() -> None:
    state = told(*fakes.streaming(NOON))
    later = stages(state, NOON + 7_000)
    assert {stage.words[0] for stage in later} == {"STALE 7s"}


def test_a_recording_that_has_ended_is_not_stale() -> None:
    state = told(*fakes.streaming(NOON))
    state.feed = "replay of trades.frames.gz"
    assert feed_words(state, NOON + 60_000).text == "◌ REPLAY trades.frames.gz STALE 1m00s"
    sent = ExchangeStats(time=NOON, clients=1, frames_sent=9, faults={}, total=9, ended=True)
    state.apply(ChildReport("exchange", sent), NOON)
    assert feed_words(state, NOON + 60_000).text == "■ REPLAY trades.frames.gz ENDED"
    assert stages(state, NOON + 1_000)[0].words[0] == "the recording has ended"


def test_a_waiting_sink_says_why() -> None:
    report = SinkStats(time=NOON, inserted={}, dead_letters=0, waiting="Code: 210. Connection refused", lag=5)
    stage = stages(told(ChildReport("sink", report)), NOON)[4]
    assert stage.words == ("waiting", "Code: 210. Connection refused", "lag 5")


def test_a_failed_service_explains_its_stage() -> None:
    state = told(*fakes.streaming(NOON), fakes.service("windows", NOON, ServiceState.FAILED, last_error="no progress"))
    assert stages(state, NOON)[3].words == ("FAILED", "no progress")


def test_other_details() -> None:
    read = fakes.trade(3)
    shown = text_of(trade_detail((read, NOON + 44), "binance_trade").lines(80))
    assert "▼ sell" in shown
    assert "44 ms" in shown
    assert "61832.456" in text_of(window_detail(fakes.window(1)).lines(80))
    assert "logs/x.log" in text_of(log_detail(LogEntry(NOON, "ERROR", "x", "bad"), "logs/x.log").lines(80))
    assert "never again" in text_of(
        service_detail(fakes.service("sink", NOON, last_error="never again"), NOON).lines(80)
    )


@given(st.integers(1, 200), st.integers(-3, 12))
def test_a_row_never_exceeds_its_width(width: int, shift: int) -> None:
    columns: list[Column[float]] = [
        Column("name", 8, lambda _: Span("BTCUSDT"), fixed=True),
        *(NumberColumn(f"n{i}", lambda v: (v, 2), 5, 2) for i in range(6)),
        Column("rest", 5, lambda _: Span("x" * 300), flexible=True),
    ]
    layout = Layout(columns, width, shift)
    assert len(plain(layout.row(61_837.63))) <= max(width, 1)


def test_a_number_that_needs_more_room_makes_its_column_wider() -> None:
    column: NumberColumn[float] = NumberColumn("price", lambda v: (v, 8 if v < 1 else 2), 4, 2)
    column.span(0.00001234, column.width)
    column.span(61_837.63, column.width)
    assert column.span(0.00001234, column.width).text == "     0.00001234"
    assert column.span(61_837.63, column.width).text == "61,837.63      "


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -1e300])
def test_a_hostile_number_does_not_widen_the_table(value: float) -> None:
    column: NumberColumn[float] = NumberColumn("price", lambda v: (v, 2), 6, 2)
    before = column.width
    assert len(column.span(value, before).text) == before
    assert column.width == before
