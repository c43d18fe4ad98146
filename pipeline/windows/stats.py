"""The counters of the windows process: written by the processing thread, read by the reporting one. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from pipeline.events import LateWindow, WindowsStats
from pipeline.model import WINDOW_MS


@dataclass(slots=True)
class Tally:
    """What has been done since the start; ``late`` since the beginning of the topic."""

    processed: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    poison: int = 0
    late: dict[int, dict[str, dict[str, int]]] = field(default_factory=dict)
    """Partition → size → symbol → count. A partition's value is replaced as a whole, never changed in place."""
    late_windows: dict[int, list[LateWindow]] = field(default_factory=dict)
    """Partition → its windows that late trades came for; replaced as a whole too."""
    stream_time: dict[int, int] = field(default_factory=dict)
    lag: int | None = None

    def report(self, now: int) -> WindowsStats:
        """Return the report; ``now`` in milliseconds."""
        late: dict[str, Counter[str]] = {size: Counter() for size in WINDOW_MS}
        for of_partition in list(self.late.values()):
            for size, by_symbol in of_partition.items():
                late[size].update(by_symbol)
        return WindowsStats(
            time=now,
            processed=self.processed,
            closed={size: self.closed[size] for size in WINDOW_MS},
            late={size: dict(by_symbol) for size, by_symbol in late.items()},
            late_windows=_together(list(self.late_windows.values())),
            duplicates=self.duplicates,
            poison=self.poison,
            stream_time=dict(self.stream_time),
            lag=self.lag,
        )


def _together(by_partition: list[list[LateWindow]]) -> tuple[LateWindow, ...]:
    """Add up what partitions counted for the same window (a symbol's trades may have moved when one was added)."""
    counted: Counter[tuple[str, str, int]] = Counter()
    for windows in by_partition:
        counted.update({(late.size, late.symbol, late.window_start): late.trades for late in windows})
    return tuple(LateWindow(*window, trades) for window, trades in counted.items())
