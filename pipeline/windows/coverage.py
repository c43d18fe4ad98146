"""Whether a closed window holds every trade of its span, as far as that can be told from trade ids. Pure.

Ids of a symbol are consecutive, so a window is whole where it has as many trades as there are ids between its first
and its last one, and where both join the neighbours' ids without a hole. What is kept is the lowest and the highest id
seen of each minute and symbol, looked up in the store or read live; a window that has more trades than that range
was seen only in part, and nothing is said of it. Ids missing between two windows may belong to either: both are
called partial. The first window of all has no neighbour: it is whole if the symbol was streamed from before its start.
"""

from bisect import bisect_left, insort
from enum import StrEnum
from typing import NamedTuple

from pipeline.model import Window

MINUTE_MS = 60_000
KEPT = 1_600
"""Minutes of each symbol, the newest: more than the 5-minute windows that are shown go back."""


class Wholeness(StrEnum):
    """What can be said of a window."""

    WHOLE = "whole"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


class Verdict(NamedTuple):
    """What can be said of a window, and why, in words."""

    wholeness: Wholeness
    why: str


class _Symbol:
    __slots__ = ("first", "joined", "last", "minutes")

    def __init__(self) -> None:
        self.minutes: list[int] = []
        """In order; each has an entry in both of the others."""
        self.first: dict[int, int] = {}
        self.last: dict[int, int] = {}
        self.joined: int | None = None
        """The first id that was read live; what is missing just before it may only not have been looked up."""


class Coverage:
    """The ids seen, by symbol and minute."""

    def __init__(self) -> None:
        self._symbols: dict[str, _Symbol] = {}

    def join(self, symbol: str, trade_id: int) -> None:
        """Say that a symbol's trades are read live from this one on, with nothing left out; the first call counts."""
        of = self._symbols.setdefault(symbol, _Symbol())
        if of.joined is None:
            of.joined = trade_id

    def note(self, symbol: str, minute: int, first: int, last: int) -> bool:
        """Take ids seen of a minute (its start, ms). Return whether it is the first that is known of this minute."""
        of = self._symbols.get(symbol)
        if of is None:
            of = self._symbols[symbol] = _Symbol()
        known = of.last.get(minute)
        if known is None:
            insort(of.minutes, minute)
            of.first[minute], of.last[minute] = first, last
            if len(of.minutes) > KEPT:
                gone = of.minutes.pop(0)
                del of.first[gone], of.last[gone]
            return True
        if last > known:
            of.last[minute] = last
        if first < of.first[minute]:
            of.first[minute] = first
        return False

    def before(self, symbol: str, start: int) -> int | None:
        """Return the highest id that is known of the last minute before ``start``; None where none is."""
        of = self._symbols.get(symbol)
        at = 0 if of is None else bisect_left(of.minutes, start)
        return None if of is None or not at else of.last[of.minutes[at - 1]]

    def judge(self, window: Window, late: int = 0, since: int | None = None) -> Verdict:
        """Say what is known of a window.

        ``late``: trades that came too late for it. ``since``: from when on the symbol is streamed without a break, ms
        by the clock of the event times; None where that is not known.
        """
        of = self._symbols.get(window.symbol)
        start, end = window.window_start, window.window_end
        low, high = (0, 0) if of is None else (bisect_left(of.minutes, start), bisect_left(of.minutes, end))
        if of is None or low == high:
            return Verdict(Wholeness.UNKNOWN, "none of its trades was seen here")
        first = min(of.first[minute] for minute in of.minutes[low:high])
        last = max(of.last[minute] for minute in of.minutes[low:high])
        before = of.last[of.minutes[low - 1]] if low else None
        after = of.first[of.minutes[high]] if high < len(of.minutes) else None
        inside = last - first + 1 - window.trade_count - late
        if inside < 0:
            return Verdict(Wholeness.UNKNOWN, "not all of its trades were seen here")
        if (before is not None and before >= first) or (after is not None and after <= last):
            return Verdict(Wholeness.UNKNOWN, "its trades and its neighbours' are not in the order of their ids")
        holes = [f"{inside:,} inside"] if inside else []
        if before is not None and first > before + 1 and first == of.joined:
            before = None
        if after is not None and after > last + 1 and after == of.joined:
            after = None
        if before is not None and first > before + 1:
            holes.append(f"{first - before - 1:,} just before its first trade")
        if after is not None and after > last + 1:
            holes.append(f"{after - last - 1:,} just after its last trade")
        if holes:
            return Verdict(Wholeness.PARTIAL, f"trade ids are missing: {', '.join(holes)}")
        if before is None and (since is None or since >= end):
            return Verdict(Wholeness.UNKNOWN, "nothing is known of the trades before its first one")
        if before is None and since is not None and since > start:
            return Verdict(Wholeness.PARTIAL, "the symbol was streamed only from some time after its start")
        if after is None:
            return Verdict(Wholeness.UNKNOWN, "the next trade, whose id would tell, has not come yet")
        return Verdict(Wholeness.WHOLE, "its trade ids, and those of its neighbours, are without a hole")
