"""How long trades and windows take, stage by stage, over the last minute. Pure: time is an argument.

The producer reports histograms each second, drawn trades and windows are added here; quantiles are made of their sum.
Exchange → received is by two clocks and not corrected: the clock's offset is shown beside it, not hidden in it.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.events import ProducerStats
from pipeline.model import Window
from pipeline.quantiles import Counts, bin_of, quantiles

SPAN_MS = 60_000
WINDOWS_SPAN_MS = 600_000
"""Windows come once a minute: of the last one alone there would be nothing to take quantiles of."""
REMEMBERED = 1_000
"""Windows that are not counted again when they are delivered again."""
WAITING = 4_096
"""Trades or windows that may wait for being drawn."""


class Quantiles(NamedTuple):
    """Of so many durations, in ms."""

    p50: int
    p99: int
    number: int


class Recent:
    """A histogram of the last minutes. Seconds are added as they come, and taken away when they are too old."""

    def __init__(self, span_ms: int = SPAN_MS) -> None:
        self._span_ms = span_ms
        self._seconds: deque[tuple[int, Counts]] = deque()
        self._sum: Counts = {}

    def add(self, counts: Counts, now: int) -> None:
        """Take durations that were measured at ``now``."""
        if not counts:
            return
        second = now // 1000
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, {}))
        newest = self._seconds[-1][1]
        for ms, number in counts.items():
            newest[ms] = newest.get(ms, 0) + number
            self._sum[ms] = self._sum.get(ms, 0) + number
        self._forget(now)

    def _forget(self, now: int) -> None:
        while self._seconds and self._seconds[0][0] * 1000 <= now - self._span_ms:
            for ms, number in self._seconds.popleft()[1].items():
                left = self._sum[ms] - number
                if left:
                    self._sum[ms] = left
                else:
                    del self._sum[ms]

    def quantiles(self, now: int) -> Quantiles | None:
        """Return p50 and p99 at ``now``; None where nothing was measured."""
        self._forget(now)
        found = quantiles(self._sum, 0.50, 0.99)
        return None if found is None else Quantiles(found[0], found[1], sum(self._sum.values()))


class Latencies:
    """All stages. What is read waits until it was drawn, what was drawn until it is in the terminal."""

    def __init__(self) -> None:
        self.received = Recent()
        """Exchange's event time → frame received, by two clocks."""
        self.acknowledged = Recent()
        """Frame received → brokers' acknowledgement."""
        self.on_screen = Recent()
        """Frame received → drawn, the trade itself or its price."""
        self.windows = Recent(WINDOWS_SPAN_MS)
        """Window's end → drawn: the grace, what closes it, and the way here."""
        self._trades: deque[int] = deque(maxlen=WAITING)
        self._windows: deque[int] = deque(maxlen=WAITING)
        self._drawn: tuple[list[int], list[int]] = ([], [])
        self._seen: dict[tuple[str, int, int], None] = {}

    def report(self, stats: ProducerStats, now: int) -> None:
        """Take the producer's report."""
        self.received.add(stats.received_after, now)
        self.acknowledged.add(stats.acknowledged_after, now)

    def read(self, received_times: Iterable[int]) -> None:
        """Take trades that were read and wait for being drawn."""
        self._trades.extend(received_times)

    def closed(self, windows: Iterable[Window], started: int) -> None:
        """Take windows that were read; those that closed before this run started say nothing of it."""
        for window in windows:
            key = (window.symbol, window.window_start, window.window_end)
            if window.window_end <= started or key in self._seen:
                continue
            self._seen[key] = None
            self._windows.append(window.window_end)
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]

    def drawing(self, *, trades: bool, windows: bool) -> None:
        """Say what is being drawn; what has no place on this screen is not on it, however long one looks elsewhere."""
        if trades:
            self._drawn[0].extend(self._trades)
        if windows:
            self._drawn[1].extend(self._windows)
        self._trades.clear()
        self._windows.clear()

    def displayed(self, now: int) -> None:
        """Say that what was being drawn has gone to the terminal."""
        for times, recent in zip(self._drawn, (self.on_screen, self.windows), strict=True):
            if times:
                counts: Counts = {}
                for time in times:
                    ms = bin_of(max(0, now - time))
                    counts[ms] = counts.get(ms, 0) + 1
                recent.add(counts, now)
                times.clear()
