"""Which windows a trade may still enter, and the exact count of those it came too late for.

A window is closed once its partition's largest event time, *before* this trade, has reached the window's end plus the
grace; a trade that comes after that is late for this size. What is remembered lies in the partition's state, which is
committed together with the offsets: a replay after a crash reads the same trades against the same memory, so the
counts hold since the topic's beginning, over restarts, and nothing is counted twice.

A late trade counts once by its id. One that its closed window holds already is no late trade but a repeated one. This
is known for the last closed windows of a symbol (``REMEMBERED_MS``); a trade repeated after that counts as late. Pure.
"""

import math
from typing import Any, NamedTuple, Protocol

from pipeline.events import LateWindow
from pipeline.model import GRACE_MS, WINDOW_MS
from pipeline.windows import idset

REMEMBERED_MS = 2 * 60 * 60 * 1000
"""So many windows of each size and symbol as fill this time keep their trade ids after they were closed."""
REMEMBERED_NUMBERS = 8_192
"""Fewer windows where their trade ids have so many holes that the ranges have more numbers than this: the value must
stay well below the largest Kafka record."""
LATE_WINDOWS = 128
"""Windows of a partition whose late trades are counted one by one: those that were hit last."""

_CLOSED_UNTIL = "closed_until"
_LATE = "late"
_LATE_WINDOWS = "late_windows"


class Memory(Protocol):
    """One partition's state: JSON values by key."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or the default where there is none."""

    def set(self, key: str, value: Any) -> None:
        """Keep the value."""


class Verdict(NamedTuple):
    """What a trade may do."""

    open: tuple[str, ...]
    """Sizes whose window still takes it."""
    late: tuple[str, ...] = ()
    """Sizes it came too late for, newly counted."""
    repeated: tuple[str, ...] = ()
    """Sizes whose window is closed and had this trade already."""


ALL_OPEN = Verdict(tuple(WINDOW_MS))
_STEP_MS = math.gcd(*WINDOW_MS.values())


class Lateness:
    """One partition's time and late trades, over its memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._closed_until: int | None = memory.get(_CLOSED_UNTIL)
        """Every window that ends here or before is closed."""

    @property
    def stream_time(self) -> int | None:
        """The partition's largest event time, less a step at most; None before its first trade."""
        return None if self._closed_until is None else self._closed_until + GRACE_MS

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Size → symbol → late trades, since the beginning of the topic."""
        counted: dict[str, dict[str, int]] = self._memory.get(_LATE, {})
        return counted

    @property
    def windows(self) -> list[LateWindow]:
        """The windows that late trades came for, the one hit last at the end; ``LATE_WINDOWS`` at most."""
        return [LateWindow(*entry) for entry in self._memory.get(_LATE_WINDOWS, [])]

    def judge(self, symbol: str, trade_id: int, event_time: int) -> Verdict:
        """Take the next trade of the partition: advance its time, and count it where it is late."""
        closed_until = self._closed_until
        if closed_until is None or event_time >= closed_until + GRACE_MS + _STEP_MS:
            # Windows end at multiples of the step, so what lies between two of them need not be written.
            reached = event_time - GRACE_MS
            self._closed_until = reached - reached % _STEP_MS
            self._memory.set(_CLOSED_UNTIL, self._closed_until)
            return ALL_OPEN
        if event_time >= closed_until:  # its windows end later
            return ALL_OPEN
        still_open, late, repeated = [], [], []
        for size, ms in WINDOW_MS.items():
            start = event_time - event_time % ms
            if start + ms > closed_until:
                still_open.append(size)
            elif self._enter_closed(size, symbol, start, trade_id):
                late.append(size)
            else:
                repeated.append(size)
        if late:
            counted = self.counts
            for size in late:
                of_size = counted.setdefault(size, {})
                of_size[symbol] = of_size.get(symbol, 0) + 1
                self._count_in_window(size, symbol, event_time - event_time % WINDOW_MS[size])
            self._memory.set(_LATE, counted)
        return Verdict(tuple(still_open), tuple(late), tuple(repeated))

    def _count_in_window(self, size: str, symbol: str, start: int) -> None:
        entries: list[list[Any]] = self._memory.get(_LATE_WINDOWS, [])
        place = [size, symbol, start]
        at = next((i for i, entry in enumerate(entries) if entry[:3] == place), None)
        before = 0 if at is None else entries.pop(at)[3]
        self._memory.set(_LATE_WINDOWS, [*entries, [*place, before + 1]][-LATE_WINDOWS:])

    def closed(self, size: str, symbol: str, start: int, ids: list[int]) -> None:
        """Remember the trade ids of a window that was just closed."""
        self._keep(size, symbol, [*self._closed(size, symbol), [start, ids]])

    def _closed(self, size: str, symbol: str) -> list[list[Any]]:
        windows: list[list[Any]] = self._memory.get(_key(size, symbol), [])
        return windows

    def _keep(self, size: str, symbol: str, windows: list[list[Any]]) -> None:
        windows.sort(key=lambda entry: int(entry[0]))
        del windows[: -(REMEMBERED_MS // WINDOW_MS[size])]
        while sum(len(ids) for _, ids in windows) > REMEMBERED_NUMBERS:
            del windows[0]
        self._memory.set(_key(size, symbol), windows)

    def _enter_closed(self, size: str, symbol: str, start: int, trade_id: int) -> bool:
        """Put a late trade's id to those of its closed window. Return False where it was among them."""
        windows = self._closed(size, symbol)
        for entry in windows:
            if entry[0] == start:
                if not idset.add(entry[1], trade_id):
                    return False
                break
        else:
            # No trade of this symbol was in time for this window; its late ones still count once each.
            windows.append([start, [trade_id, trade_id]])
        self._keep(size, symbol, windows)
        return True


def _key(size: str, symbol: str) -> str:
    return f"closed/{size}/{symbol}"
