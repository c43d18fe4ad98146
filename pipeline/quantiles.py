"""Quantiles of durations that add up over processes and seconds: counts by bin, merged by adding. Pure.

Quantiles of seconds cannot be made into the quantiles of a minute, histograms can: the producer sends one with each
report, the application adds up the last sixty. Durations are whole milliseconds; below 256 ms they are exact, above
that kept to 1 %, so that a histogram stays small however long an outage made trades wait. A negative duration is kept:
between two machines' clocks it says something.
"""

from collections.abc import Iterable, Mapping

EXACT_BELOW = 256

Counts = dict[int, int]
"""Smallest duration of a bin, in ms (of a negative one the largest) → how many fell into it."""


def bin_of(ms: int) -> int:
    """Return the bin of a duration: itself, or at most 1 % nearer to 0."""
    if -EXACT_BELOW < ms < EXACT_BELOW:
        return ms
    size = abs(ms)
    shift = size.bit_length() - 7
    size = size >> shift << shift
    return size if ms > 0 else -size


class Histogram:
    """Counts of durations since they were last taken."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counts = {}

    def add(self, ms: int) -> None:
        """Count one duration."""
        if not -EXACT_BELOW < ms < EXACT_BELOW:
            ms = bin_of(ms)
        counts = self._counts
        counts[ms] = counts.get(ms, 0) + 1

    def take(self) -> Counts:
        """Return the counts since the last call, and begin anew."""
        counts, self._counts = self._counts, {}
        return counts


def merged(many: Iterable[Mapping[int, int]]) -> Counts:
    """Return the sum of histograms."""
    total: Counts = {}
    for counts in many:
        for ms, number in counts.items():
            total[ms] = total.get(ms, 0) + number
    return total


def quantiles(counts: Mapping[int, int], *shares: float) -> tuple[int, ...] | None:
    """Return for each share (ascending, 0 to 1) the bin below or in which so many lie; None where nothing was counted.

    The bin's end that is nearer to 0 stands for it.
    """
    total = sum(counts.values())
    if not total:
        return None
    found: list[int] = []
    seen, bins = 0, iter(sorted(counts.items()))
    ms = 0
    for share in shares:
        while seen < share * total or not seen:
            ms, number = next(bins)
            seen += number
        found.append(ms)
    return tuple(found)
