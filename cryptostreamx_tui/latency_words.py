"""The latencies in words: a short form for the status line, a page with everything. Pure."""

from typing import NamedTuple

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.format import UNKNOWN, Line, Span, duration, millis
from cryptostreamx_tui.latency import Quantiles
from cryptostreamx_tui.state import STATS_STALE_MS, State
from pipeline.events import ClockOffset

REPLAY = "replay"
MIDDLE, LARGE = 118, 180
"""Columns from which on the status line has room for the stages, and for windows and clock too."""

MEANING = (
    "exchange → received: from the exchange's event time to the frame's arrival, by two clocks and not corrected. The "
    "true figure is about the one shown plus the clock's offset.",
    "received → acknowledged: until all in-sync replicas have the trade, as the producer measured it.",
    "received → on screen: until the trade, or its price, had gone to the terminal after being read back from Kafka.",
    "window end → on screen: includes the grace of 10 s and the wait for the trade that closes the window; over ten "
    "minutes, of windows that closed while this screen ran and had a place on it.",
    "Of a recording the first and the last are unknown: its event times are those of another day.",
)


class StageLatency(NamedTuple):
    """A stage of the data's way."""

    name: str
    short: str
    found: Quantiles | None


def stage_latencies(state: State, now: int) -> tuple[StageLatency, ...]:
    """Return the stages in the order of the data; what a recording's times say nothing of is unknown."""
    of, recorded = state.latencies, state.feed.startswith(REPLAY)
    return (
        StageLatency("exchange → received", "received", None if recorded else of.received.quantiles(now)),
        StageLatency("received → acknowledged", "acked", of.acknowledged.quantiles(now)),
        StageLatency("received → on screen", "seen in", of.on_screen.quantiles(now)),
        StageLatency("window end → on screen", "window", None if recorded else of.windows.quantiles(now)),
    )


def clock_offset(state: State, now: int) -> ClockOffset | None:
    """Return the exchange's clock minus ours as the producer measured it; None while unknown."""
    age = state.stats_age("producer", now)
    if state.producer is None or age is None or age > STATS_STALE_MS or state.feed.startswith(REPLAY):
        return None
    return state.producer.clock_offset


def offset_words(offset: ClockOffset | None) -> str:
    """``−12 ±3 ms``; ``–`` where unknown."""
    if offset is None:
        return UNKNOWN
    ms = round(offset.ms)
    # Never ±0: the exchange tells whole milliseconds.
    return f"{'−' if ms < 0 else '+' if ms > 0 else ''}{abs(ms):,} ±{max(1, round(offset.uncertainty)):,} ms"


def pair(found: Quantiles | None) -> str:
    """``41/74 ms``, ``11.2/13.0 s``; ``–`` where unknown."""
    if found is None:
        return UNKNOWN
    if found.p99 < 10_000:
        return f"{found.p50:,}/{found.p99:,} ms"
    return f"{found.p50 / 1000:,.1f}/{found.p99 / 1000:,.1f} s"


def latency_line(state: State, now: int, width: int) -> Line:
    """Return the stages for the status line, p50/p99: as many of them as there is room for."""
    stages = stage_latencies(state, now)
    shown = stages[2:3] if width < MIDDLE else stages[:3] if width < LARGE else stages
    line: Line = []
    for stage in shown:
        line += [Span(f"  {stage.short} ", "dim"), Span(pair(stage.found), "strong")]
    if width >= LARGE:
        line += [Span("  clock ", "dim"), Span(offset_words(clock_offset(state, now)), "strong")]
    return line


def latency_detail(state: State, now: int) -> Detail:
    """Return everything known of the latencies."""
    fields = []
    for stage in stage_latencies(state, now):
        found = stage.found
        words = UNKNOWN if found is None else f"p50 {millis(found.p50)}   p99 {millis(found.p99)}   of {found.number:,}"
        fields.append((stage.name, words))
    offset = clock_offset(state, now)
    measured = (
        UNKNOWN if offset is None else f"{duration(now - offset.measured_at)} ago, by REST; the best of 5 minutes"
    )
    return Detail(
        "Latency by stage",
        (
            Section("The last minute", tuple(fields)),
            Section("Clock", (("exchange − ours", offset_words(offset)), ("measured", measured))),
            Section("What is measured", text=MEANING),
        ),
    )
