"""How each stage of the pipeline does, from feed to ClickHouse, in one line each. Pure."""

from typing import NamedTuple

from cryptostreamx_tui.format import UNKNOWN, Line, Span, count, duration, hms, millis, per_second, safe
from cryptostreamx_tui.state import STATS_STALE_MS, State
from pipeline.events import ServiceChanged
from pipeline.model import ServiceState

SIGNS = {"good": "●", "warn": "◆", "bad": "✗", "dim": "○"}
"""Tone → sign; the words beside it say the same, so that colour is never alone."""


STATE_TONES = {
    ServiceState.READY: "good",
    ServiceState.FAILED: "bad",
    ServiceState.BACKING_OFF: "bad",
    ServiceState.STARTING: "warn",
    ServiceState.STOPPING: "warn",
    ServiceState.WAITING: "dim",
    ServiceState.STOPPED: "dim",
}


def state_words(service: ServiceChanged, now: int) -> Span:
    """Return a service's state with its sign; a coming restart is counted down."""
    tone = STATE_TONES[service.state]
    words = str(service.state).upper() if service.state is ServiceState.FAILED else str(service.state)
    if service.state is ServiceState.BACKING_OFF and service.retry_at is not None:
        words = f"again in {duration(service.retry_at - now)}"
    return Span(f"{SIGNS[tone]} {words}", tone)


class Stage(NamedTuple):
    """One stage: its name, how it does (a tone), and in what words."""

    name: str
    tone: str
    words: tuple[str, ...]

    def line(self, name_width: int) -> Line:
        """Return ``name ● words · words``."""
        return [
            Span(f" {self.name:<{name_width}} ", "dim"),
            Span(SIGNS[self.tone] + " ", self.tone),
            Span(" · ".join(self.words), self.tone if self.tone in ("bad", "dim") else ""),
        ]


def stages(state: State, now: int) -> list[Stage]:
    """Return the five stages in the order of the data."""
    return [_feed(state, now), _quality(state, now), _kafka(state, now), _windows(state, now), _clickhouse(state, now)]


def _down(state: State, service: str, name: str) -> Stage | None:
    """Return a stage that its service's own state already explains."""
    seen = state.services.get(service)
    if seen is None or seen.state in (ServiceState.READY, ServiceState.STOPPING):
        return None
    words = [str(seen.state).upper() if seen.state is ServiceState.FAILED else str(seen.state)]
    if seen.last_error:
        words.append(safe(seen.last_error))
    bad = seen.state in (ServiceState.FAILED, ServiceState.BACKING_OFF)
    return Stage(name, "bad" if bad else "dim", tuple(words))


def _stale(state: State, kind: str, name: str, now: int) -> Stage | None:
    """Return a stage whose figures are missing or too old to be believed."""
    age = state.stats_age(kind, now)
    if age is None:
        return Stage(name, "dim", (UNKNOWN,))
    return Stage(name, "bad", (f"STALE {duration(age)}", "no report")) if age > STATS_STALE_MS else None


def _feed(state: State, now: int) -> Stage:
    stats = state.producer
    trouble = _down(state, "producer", "feed") or _stale(state, "producer", "feed", now)
    if trouble or stats is None:
        return trouble or Stage("feed", "dim", (UNKNOWN,))
    if not stats.connected:
        return Stage("feed", "bad", ("not connected", safe(stats.feed_error or UNKNOWN)))
    words = [per_second(state.rate.value(now)), f"{len(stats.symbols)} symbols"]
    if stats.pending:
        words.append(f"{len(stats.pending)} subscribing")
    if stats.connected_since is not None:
        words.append(f"connected {duration(now - stats.connected_since)}")
    words.append(f"{stats.reconnects} reconnects")
    age = state.feed_age(now)
    silent = age is not None and any(state.stale(symbol, now) is not None for symbol in state.wanted)
    if state.ended:
        return Stage("feed", "good", ("the recording has ended", *words[1:]))
    if silent and state.frames_arrive(now):
        words.append("frames arrive, none is read back")
    if silent:
        words.insert(0, f"STALE {duration(age)}")
    return Stage("feed", "warn" if silent else "good", tuple(words))


def _quality(state: State, now: int) -> Stage:
    stats = state.producer
    trouble = _stale(state, "producer", "quality", now)
    if trouble or stats is None:
        return trouble or Stage("quality", "dim", (UNKNOWN,))
    words = [f"{count(state.refused)} refused", f"{count(stats.accepted)} accepted"]
    words.extend(f"{safe(reason)} {number:,}" for reason, number in list(stats.refused.items())[:3])
    return Stage("quality", "warn" if state.refused else "good", tuple(words))


def _kafka(state: State, now: int) -> Stage:
    seen = state.cluster
    trouble = _stale(state, "cluster", "kafka", now)
    if trouble or seen is None:
        return trouble or Stage("kafka", "dim", (UNKNOWN,))
    if seen.error:
        return Stage("kafka", "bad", ("no answer", safe(seen.error)))
    up = sum(broker.reachable for broker in seen.brokers)
    words = [f"{up}/{seen.expected_brokers} brokers", f"in-sync {seen.in_sync}/{seen.replicas}"]
    words.append(f"{seen.under_replicated} under-replicated")
    if seen.offline:
        words.append(f"{seen.offline} OFFLINE")
    failed = state.producer.failed if state.producer else 0
    if failed:
        words.append(f"{failed:,} trades LOST")
    bad = bool(seen.offline or failed)
    behind = bool(seen.under_replicated or up < seen.expected_brokers)
    return Stage("kafka", "bad" if bad else "warn" if behind else "good", tuple(words))


def _windows(state: State, now: int) -> Stage:
    stats = state.windowing
    trouble = _down(state, "windows", "windows") or _stale(state, "windows", "windows", now)
    if trouble or stats is None:
        return trouble or Stage("windows", "dim", (UNKNOWN,))
    closed = ", ".join(f"{number:,} × {safe(name)}" for name, number in stats.closed.items()) or "none yet"
    words = [f"closed {closed}"]
    if stats.stream_time:
        words.append(f"stream time {hms(min(stats.stream_time.values()))}")
    words.append(f"lag {count(stats.lag)}")
    late = sum(n for by_symbol in stats.late.values() for n in by_symbol.values())
    words.append(f"{late:,} late")
    if stats.poison:
        words.append(f"{stats.poison:,} poison")
    return Stage("windows", "warn" if late or stats.poison else "good", tuple(words))


def _clickhouse(state: State, now: int) -> Stage:
    stats = state.sink
    trouble = _down(state, "clickhouse", "clickhouse") or _down(state, "sink", "clickhouse")
    trouble = trouble or _stale(state, "sink", "clickhouse", now)
    if trouble or stats is None:
        return trouble or Stage("clickhouse", "dim", (UNKNOWN,))
    if stats.waiting:
        return Stage("clickhouse", "warn", ("waiting", safe(stats.waiting), f"lag {count(stats.lag)}"))
    words = [f"{sum(stats.inserted.values()):,} rows", f"lag {count(stats.lag)}"]
    if stats.last_insert is not None:
        words.append(f"last insert {duration(now - stats.last_insert)} ago")
    if stats.latency is not None:
        words.append(f"insert p99 {millis(stats.latency.p99)}")
    if stats.dead_letters:
        words.append(f"{stats.dead_letters:,} dead")
    return Stage("clickhouse", "warn" if stats.dead_letters else "good", tuple(words))
