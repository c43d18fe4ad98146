"""Latencies by stage: what is counted, for how long, and what is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.format import plain
from cryptostreamx_tui.latency import SPAN_MS, WINDOWS_SPAN_MS, Latencies, Recent
from cryptostreamx_tui.latency_words import (
    LARGE,
    MIDDLE,
    clock_offset,
    latency_detail,
    latency_line,
    offset_words,
    stage_latencies,
)
from cryptostreamx_tui.state import STATS_STALE_MS, State
from pipeline.events import ClockOffset, StackPhase, WindowsRead
from pipeline.quantiles import quantiles
from tests.tui import fakes
from tests.tui.fakes import NOON

OFFSET = ClockOffset(ms=-12.4, uncertainty=2.6, measured_at=NOON - 40_000)


def running(feed: str = "live") -> State:
    state = State()
    state.feed = feed
    state.apply(StackPhase("starting", NOON - 6_000), NOON)
    received, acknowledged = {21: 90, 48: 10}, {24: 95, 51: 5}
    report = fakes.producer(NOON, received_after=received, acknowledged_after=acknowledged, clock_offset=OFFSET)
    state.apply(report, NOON)
    state.apply(fakes.trades(200, NOON), NOON)
    state.drawn(NOON + 30)
    return state


def test_nothing_measured_is_unknown() -> None:
    state = State()
    assert [stage.found for stage in stage_latencies(state, NOON)] == [None] * 4
    assert clock_offset(state, NOON) is None
    assert plain(latency_line(state, NOON, 80)) == "  seen in –"
    assert "–" in plain(latency_line(state, NOON, 200))


def test_a_minute_is_the_sum_of_its_seconds_and_no_more() -> None:
    recent = Recent()
    recent.add({10: 99}, NOON)
    recent.add({500: 1}, NOON + 1_000)
    recent.add({}, NOON + 2_000)
    assert recent.quantiles(NOON + 2_000) == (10, 10, 100)
    recent.add({500: 5}, NOON + 30_000)
    assert recent.quantiles(NOON + 30_000) == (10, 500, 105)
    assert recent.quantiles(NOON + SPAN_MS) == (500, 500, 6)
    assert recent.quantiles(NOON + 2 * SPAN_MS) is None
    assert recent._sum == {}


@given(st.lists(st.tuples(st.integers(0, 200_000), st.dictionaries(st.integers(-50, 50), st.integers(1, 9)))))
def test_what_is_kept_is_what_lies_within_the_span(reports: list[tuple[int, dict[int, int]]]) -> None:
    recent, now = Recent(), NOON
    kept: dict[int, int] = {}
    reports.sort(key=lambda report: report[0])
    for after, counts in reports:
        now = NOON + after
        recent.add(counts, now)
    for after, counts in reports:
        if (NOON + after) // 1000 * 1000 > now - SPAN_MS:
            for ms, number in counts.items():
                kept[ms] = kept.get(ms, 0) + number
    found = recent.quantiles(now)
    assert (None if found is None else found[:2]) == quantiles(kept, 0.5, 0.99)


def test_a_trade_counts_when_it_has_gone_to_the_terminal() -> None:
    latencies = Latencies()
    latencies.read([NOON - 70, NOON - 40])
    latencies.displayed(NOON)
    assert latencies.on_screen.quantiles(NOON) is None, "nothing of it was drawn"
    latencies.drawing(trades=True, windows=True)
    latencies.displayed(NOON + 10)
    assert latencies.on_screen.quantiles(NOON + 10) == (50, 80, 2)


def test_what_had_no_place_on_the_screen_is_never_counted() -> None:
    latencies = Latencies()
    latencies.read([NOON - 70])
    latencies.closed([fakes.window(0)], 0)
    latencies.drawing(trades=False, windows=False)
    latencies.drawing(trades=True, windows=True)
    latencies.displayed(NOON + 60_000)
    assert latencies.on_screen.quantiles(NOON + 60_000) is None
    assert latencies.windows.quantiles(NOON + 60_000) is None


def test_windows_count_once_and_only_those_that_closed_meanwhile() -> None:
    latencies, window = Latencies(), fakes.window(0)
    started = window.window_end - 1
    latencies.closed([fakes.window(-1), window, window], started)
    latencies.closed([window], started)
    latencies.drawing(trades=True, windows=True)
    at = window.window_end + 10_400
    latencies.displayed(at)
    found = latencies.windows.quantiles(at)
    assert found is not None
    assert found.number == 1
    assert 10_300 <= found.p50 <= 10_400
    assert latencies.windows.quantiles(at + WINDOWS_SPAN_MS) is None


def test_history_says_nothing_of_this_run() -> None:
    state = running()
    state.apply(WindowsRead((fakes.window(-4), fakes.window(-3)), NOON), NOON)
    state.drawn(NOON + 100)
    assert state.latencies.windows.quantiles(NOON + 100) is None


def test_stages_and_clock_of_a_live_feed() -> None:
    state, now = running(), NOON + 30
    received, acknowledged, on_screen, windows = (stage.found for stage in stage_latencies(state, now))
    assert received == (21, 48, 100)
    assert acknowledged == (24, 51, 100)
    assert on_screen is not None
    assert windows is None
    assert clock_offset(state, now) == OFFSET
    assert clock_offset(state, NOON + STATS_STALE_MS + 1) is None, "the producer is silent"
    text = "\n".join(plain(line) for line in latency_detail(state, now).lines(100))
    assert "p50 21 ms   p99 48 ms   of 100" in text
    assert "−12 ±3 ms" in text
    assert "40s ago" in text
    assert "not corrected" in text


def test_of_a_recording_the_exchanges_times_are_unknown() -> None:
    state = running("replay of day.frames")
    state.apply(WindowsRead((fakes.window(1),), NOON), NOON)
    state.drawn(NOON + 100)
    received, acknowledged, on_screen, windows = (stage.found for stage in stage_latencies(state, NOON + 100))
    assert received is None
    assert windows is None
    assert acknowledged is not None
    assert on_screen is not None
    assert clock_offset(state, NOON + 100) is None


@pytest.mark.parametrize(
    ("ms", "uncertainty", "words"),
    [(-12.4, 2.6, "−12 ±3 ms"), (1234.5, 40, "+1,234 ±40 ms"), (0.2, 0.1, "0 ±1 ms")],
)
def test_the_offset_in_words(ms: float, uncertainty: float, words: str) -> None:
    assert offset_words(ClockOffset(ms, uncertainty, NOON)) == words


def test_the_line_holds_what_the_width_allows() -> None:
    state, now = running(), NOON + 30
    small, middle, large = (plain(latency_line(state, now, width)) for width in (80, MIDDLE, LARGE))
    assert small.startswith("  seen in ")
    assert "received 21/48 ms" in middle
    assert "acked 24/51 ms" in middle
    assert "clock" not in middle
    assert large.startswith(middle)
    assert large.endswith("  window –  clock −12 ±3 ms")
