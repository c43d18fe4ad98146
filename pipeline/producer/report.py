"""The producer's latency quantiles: a small histogram, emptied with each report.

Pure. Durations are whole milliseconds; from 256 ms on they are kept to 1 %, so that its size has a bound however long
an outage made trades wait.
"""

from pipeline.events import Latency

_EXACT_BELOW = 256


class LatencyHistogram:
    """Counts of durations since the last report."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, ms: int) -> None:
        """Count one duration; a negative one (the clock was set back) counts as 0."""
        if ms >= _EXACT_BELOW:
            shift = ms.bit_length() - 7
            ms = ms >> shift << shift
        elif ms < 0:
            ms = 0
        counts = self._counts
        counts[ms] = counts.get(ms, 0) + 1

    def take(self) -> Latency | None:
        """Return the quantiles since the last call, None where nothing was counted, and begin anew."""
        counts, self._counts = sorted(self._counts.items()), {}
        total = sum(count for _, count in counts)
        if not total:
            return None
        return Latency(p50=_quantile(counts, total, 0.50), p99=_quantile(counts, total, 0.99))


def _quantile(counts: list[tuple[int, int]], total: int, share: float) -> float:
    seen = 0
    for ms, count in counts:
        seen += count
        if seen >= share * total:
            return float(ms)
    raise AssertionError("the counts add up to the total")
