"""The windows as the screens know them: closed ones in the order of time, each once, and the unfinished ones. Pure.

Closed windows come from Kafka and, of the time before, from ClickHouse; one that comes again identical is the same
row, one with other values takes the place of the first and is called corrected. What is known of a window (is it
whole, how many trades came too late for it) changes after it was closed, and is kept beside it.
"""

from bisect import insort
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.running import Running
from pipeline.events import HistoryRead, LateWindow
from pipeline.model import WINDOW_MS, Trade, Window
from pipeline.windows.coverage import Coverage, Verdict, Wholeness

KEPT = 12_000
"""Closed windows of a size, all symbols together."""
JUDGED_AGAIN = 3
"""Windows of a symbol and size, the newest, that are looked at again when a minute of it begins: the next trade is
what tells whether a window's end is whole."""

Key = tuple[int, str]
"""Start and symbol: the order of the rows."""
_SIZE_OF = {ms: size for size, ms in WINDOW_MS.items()}


class ClosedWindow(NamedTuple):
    """A closed window, and what is known of it."""

    window: Window
    verdict: Verdict
    late: int = 0
    """Trades that came too late for it; it lacks them, and is to be corrected."""
    corrected: bool = False
    """It came again with other values, which are these."""

    @property
    def flags(self) -> tuple[str, ...]:
        """The words that stand beside it; none where it is whole and as it was."""
        wholeness = self.verdict.wholeness
        return (
            *((wholeness.value,) if wholeness is not Wholeness.WHOLE else ()),
            *((f"late {self.late:,}",) if self.late else ()),
            *(("corrected",) if self.corrected else ()),
        )


class _Size:
    """The closed windows of one size."""

    def __init__(self) -> None:
        self.closed: dict[Key, ClosedWindow] = {}
        self.order: list[Key] = []
        self.of_symbol: dict[str, list[int]] = {}
        """Starts, in order."""
        self.taken: dict[str | None, int] = {None: 0}
        """Windows ever taken of each symbol, and of all."""
        self.from_kafka: set[Key] = set()

    def put(self, key: Key, closed: ClosedWindow) -> None:
        if key not in self.closed:
            start, symbol = key
            insort(self.order, key)
            insort(self.of_symbol.setdefault(symbol, []), start)
            self.taken[symbol] = self.taken.get(symbol, 0) + 1
            self.taken[None] = self.taken.get(None, 0) + 1
        self.closed[key] = closed
        while len(self.order) > KEPT:
            start, symbol = gone = self.order.pop(0)
            self.of_symbol[symbol].remove(start)
            del self.closed[gone]
            self.from_kafka.discard(gone)


class Windows:
    """Closed and unfinished windows. Every method that takes something returns whether a closed one changed."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self.running = Running(self.coverage)
        self.version = 0
        """Changes of what is closed."""
        self.since: Mapping[str, int] = {}
        """Symbol → from when on it is streamed without a break, by the clock of the event times; empty for a
        recording, whose clock is another one."""
        self.history_read = False
        """Whether ClickHouse has told the windows of the time before."""
        self._sizes = {size: _Size() for size in WINDOW_MS}
        self._late: dict[tuple[str, str, int], int] = {}
        self._late_told: tuple[LateWindow, ...] = ()
        self._rings: dict[tuple[str, str | None], tuple[int, Ring[ClosedWindow]]] = {}

    # ------------------------------------------------------------ what comes

    def read(self, windows: Iterable[Window]) -> bool:
        """Take closed windows from Kafka."""
        return self._changed([self._take(window, from_kafka=True) for window in windows])

    def history(self, event: HistoryRead) -> bool:
        """Take what ClickHouse held. A window that Kafka told already stays as Kafka told it."""
        self.history_read = True
        for ids in event.ids:
            self.coverage.note(*ids)
        changes = [self._take(window, from_kafka=False) for window in event.windows]
        again = [self._judge_again(size, key) for size, of in self._sizes.items() for key in tuple(of.from_kafka)]
        return self._changed([*changes, *again])

    def trades(self, by_symbol: Mapping[str, list[Trade]]) -> bool:
        """Take trades that were read, grouped by symbol."""
        began = self.running.take(by_symbol)
        return self._changed(
            [
                self._judge_again(size, (start, symbol))
                for symbol in began
                for size, of in self._sizes.items()
                for start in of.of_symbol.get(symbol, ())[-JUDGED_AGAIN:]
            ]
        )

    def late(self, windows: tuple[LateWindow, ...]) -> bool:
        """Take the count of late trades by window."""
        if windows == self._late_told:
            return False
        self._late_told = windows
        before = self._late
        self._late = before | {(one.size, one.symbol, one.window_start): one.trades for one in windows}
        while len(self._late) > KEPT:
            del self._late[next(iter(self._late))]
        changed = [place for place, trades in self._late.items() if before.get(place) != trades]
        return self._changed([self._judge_again(size, (start, symbol)) for size, symbol, start in changed])

    # ------------------------------------------------------------ what is shown

    def ring(self, size: str, symbol: str | None = None) -> Ring[ClosedWindow]:
        """Return the closed windows of a size, of one symbol or of all, in the order of time; the same one until
        ``version`` changes."""
        made = self._rings.get((size, symbol))
        if made is not None and made[0] == self.version:
            return made[1]
        of = self._sizes[size]
        if symbol is None:
            keys = of.order[::-1]
            keys.sort(key=itemgetter(0))  # the newest stands on top, in it the symbols by name
        else:
            keys = [(start, symbol) for start in of.of_symbol.get(symbol, ())]
        ring: Ring[ClosedWindow] = Ring(KEPT)
        ring.extend((of.closed[key] for key in keys), of.taken.get(symbol, 0))
        self._rings[size, symbol] = self.version, ring
        return ring

    @property
    def symbols(self) -> list[str]:
        """Every symbol that has a closed window, by name."""
        return sorted({symbol for of in self._sizes.values() for symbol, starts in of.of_symbol.items() if starts})

    def unfinished(self, size: str, symbol: str) -> list[int]:
        """Return the starts of a symbol's windows that still take trades, the newest first."""
        closed = self._sizes[size].closed
        return [start for start in self.running.starts(symbol, size) if (start, symbol) not in closed]

    # ------------------------------------------------------------ how it is done

    def _changed(self, changes: list[bool]) -> bool:
        changed = any(changes)
        self.version += changed
        return changed

    def _take(self, window: Window, *, from_kafka: bool) -> bool:
        size = _SIZE_OF.get(window.window_end - window.window_start)
        if size is None:
            return False
        of, key = self._sizes[size], (window.window_start, window.symbol)
        before = of.closed.get(key)
        if before is not None and not from_kafka and key in of.from_kafka:
            return False
        if from_kafka:
            of.from_kafka.add(key)
        if before is not None and before.window == window:
            return False
        of.put(key, self._known(size, window, corrected=before is not None))
        return True

    def _judge_again(self, size: str, key: Key) -> bool:
        of = self._sizes[size]
        before = of.closed.get(key)
        if before is None:
            return False
        now = self._known(size, before.window, corrected=before.corrected)
        of.closed[key] = now
        return now != before

    def _known(self, size: str, window: Window, *, corrected: bool) -> ClosedWindow:
        late = self._late.get((size, window.symbol, window.window_start), 0)
        verdict = self.coverage.judge(window, late, self.since.get(window.symbol))
        return ClosedWindow(window, verdict, late, corrected)
