"""The rules of the alerts: what is looked at, and the words that say what is wrong and what to do.

Pure: a rule reads ``State`` and is told the time. It answers for each subject (a service, a symbol, or ``""``): a
``Finding`` where something is wrong, None where it is known to be well. A subject that is not in the answer is unknown:
that neither raises an alert nor clears one.
"""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from cryptostreamx_tui.configuration import Alerts, PriceBand
from cryptostreamx_tui.format import duration
from cryptostreamx_tui.state import STATS_STALE_MS, State
from pipeline.model import ServiceState
from pipeline.text import clean

CLUSTER_STALE_MS = 10_000
"""The cluster is looked at every two seconds."""
MINUTE_MS = 60_000
WELL = (ServiceState.READY, ServiceState.STOPPED)


class Finding(NamedTuple):
    """Something is wrong. Both texts are cleaned."""

    words: str
    """What."""
    advice: str
    """What a person can do or look at."""
    more: int = 0
    """How many came just now, where the rule counts; else it is counted how often it came to be so."""


Answer = Mapping[str, Finding | None]
"""Subject → what is wrong, or None where it is well."""


class Check(NamedTuple):
    """A rule as it is looked at."""

    name: str
    look: Callable[[State, int], Answer]
    hold: float
    """Seconds it must be so before it is raised."""
    clear: float
    """Seconds it must be over before it is cleared."""
    stays: bool = False
    """Whether it stays until it is acknowledged, also when nothing more happens."""


def checks(wanted: Alerts) -> list[Check]:
    """Return the rules that are on. Those that count keep what they counted in themselves."""
    silent, lag, failed, replicas = wanted.feed_stale, wanted.lag, wanted.service_failed, wanted.under_replicated
    refused, dead = wanted.refused, wanted.dead_letters
    made = [
        (silent, Check("feed stale", partial(_feed, after=silent.after), silent.hold, silent.clear)),
        (lag, Check("lag", partial(_lag, above=lag.above), lag.hold, lag.clear)),
        (failed, Check("service failed", _services, failed.hold, failed.clear)),
        (replicas, Check("under-replicated", _replicas, replicas.hold, replicas.clear)),
        (dead, Check("dead letters", DeadLetterCount().look, 0, dead.clear, stays=True)),
        (refused, Check("refused", RefusedRate(refused.per_minute).look, refused.hold, refused.clear)),
        *(
            (band, Check("price", partial(_price, symbol=symbol, band=band), band.hold, band.clear))
            for symbol, band in wanted.price.items()
        ),
    ]
    return [check for rule, check in made if rule.on]


def _settled(state: State) -> int | None:
    """Return since when the pipeline is up; None while it is starting or stopping: then nothing is late yet."""
    phase = state.phase
    return None if phase is None or phase.phase not in ("running", "failed") else phase.time


def _fresh(state: State, kind: str, now: int, limit: int = STATS_STALE_MS) -> bool:
    age = state.stats_age(kind, now)
    return age is not None and age <= limit


def _feed(state: State, now: int, after: float) -> Answer:
    if state.ended or not state.wanted:
        return {"": None}  # a recording that has ended, or nothing asked for: silence is right
    up = _settled(state)
    if up is None:
        return {}
    if state.unreachable is not None:
        if not _fresh(state, "producer", now):
            return {}
        words = f"no connection to the exchange: {clean(state.unreachable, 200)}"
        return {"": Finding(words, "retry the connection, or look at the producer's log")}
    age = state.feed_age(now)
    if age is None:
        return {}
    # What an earlier run stored is older than this one: it counts from when the pipeline was up.
    age = min(age, now - up)
    if age <= after * 1000:
        return {"": None}
    if state.frames_arrive(now):
        words = f"frames arrive, but no trade was read back for {duration(age)}"
        return {"": Finding(words, "look at the brokers: does Kafka take and give?")}
    return {"": Finding(f"no trade for {duration(age)}", "look at the producer and its log: is the exchange silent?")}


def _lag(state: State, now: int, above: int) -> Answer:
    lag = state.lag
    if lag is None or not (_fresh(state, "windows", now) and _fresh(state, "sink", now)):
        return {}
    if lag <= above:
        return {"": None}
    words = f"{lag:,} records behind (limit {above:,})"
    return {"": Finding(words, "look at windows, sink and ClickHouse: which of them waits?")}


def _services(state: State, now: int) -> Answer:  # noqa: ARG001 - as every rule
    answer: dict[str, Finding | None] = {}
    for name, service in state.services.items():
        if service.state is ServiceState.FAILED:
            reason = clean(service.last_error or "no reason given", 200)
            words = f"{clean(name, 40)} failed: {reason}"
            answer[name] = Finding(words, "read its log, mend the cause, then retry or restart it")
        elif service.state in WELL:
            answer[name] = None
    return answer


def _replicas(state: State, now: int) -> Answer:
    seen = state.cluster
    if seen is None or _settled(state) is None or not _fresh(state, "cluster", now, CLUSTER_STALE_MS):
        return {}
    if seen.error is not None:
        return {"": Finding(f"no broker answers: {clean(seen.error, 200)}", "look at the brokers in Health")}
    if not (seen.under_replicated or seen.offline):
        return {"": None}
    words = f"{seen.under_replicated} partitions under-replicated, {seen.offline} without a leader"
    return {"": Finding(words, "look at the brokers in Health: which one is away?")}


def _price(state: State, now: int, symbol: str, band: PriceBand) -> Answer:
    if symbol not in state.wanted:
        return {symbol: None}
    summary = state.symbols.get(symbol)
    if summary is None or summary.price is None or state.stale(symbol, now) is not None:
        return {}
    price = f"{summary.price:,.{summary.price_places}f}"
    name, advice = clean(symbol, 40), "it left the band of your configuration"
    if band.low is not None and summary.price < band.low:
        return {symbol: Finding(f"{name} {price} is below {band.low:,}", advice)}
    if band.high is not None and summary.price > band.high:
        return {symbol: Finding(f"{name} {price} is above {band.high:,}", advice)}
    return {symbol: None}


class RefusedRate:
    """Refusals of the last minute, from the producer's counter."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: deque[tuple[int, int]] = deque()

    def look(self, state: State, now: int) -> Answer:
        """Count what was refused since a minute ago, as far as it was watched."""
        total = state.refused
        if total is None or not _fresh(state, "producer", now):
            return {}
        if self._seen and total < self._seen[-1][1]:
            self._seen.clear()  # a producer that was started again counts from 0, all of it new
            self._seen.append((now, 0))
        self._seen.append((now, total))
        while len(self._seen) > 1 and self._seen[1][0] <= now - MINUTE_MS:
            self._seen.popleft()
        refused = total - self._seen[0][1]
        if refused < self._limit:
            return {"": None}
        reasons = state.producer.refused if state.producer else {}
        most = max(reasons, key=lambda reason: reasons[reason], default="")
        words = f"{refused:,} frames refused within a minute, most of all {clean(most, 40)}"
        return {"": Finding(words, "look at the log and the dead letters: has the exchange changed its format?")}


class DeadLetterCount:
    """Dead letters that were written since the pipeline was started, as read back."""

    def __init__(self) -> None:
        self._ring: object = None
        self._end = 0

    def look(self, state: State, now: int) -> Answer:  # noqa: ARG002 - as every rule
        """Count the new ones once; there is nothing to find while no more come."""
        if state.dead_letters is None:
            return {}
        ring = state.dead
        if ring is not self._ring:
            self._ring, self._end = ring, 0
        came = [letter for letter in ring.last(ring.end - self._end) if letter.timestamp >= (state.started or 0)]
        self._end = ring.end
        if not came:
            return {"": None}
        words = f"new in {clean(came[-1].topic, 60)}: {clean(came[-1].reason, 80)}"
        return {"": Finding(words, "open them under Dead letters; replay them once the cause is mended", len(came))}
