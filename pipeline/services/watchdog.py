"""Tells when a child has made no progress for too long. Pure: times are seconds of a monotonic clock."""

from pipeline.events import ChildEvent
from pipeline.services.service import Stalled


class Watchdog:
    """Fed with a child's statistics; overdue when they stay away, or show a stall, for longer than ``limit``."""

    def __init__(self, limit: float, stalled: Stalled | None) -> None:
        self._limit = limit
        self._stalled = stalled
        self._last: ChildEvent | None = None
        self._reported_at: float | None = None
        self._stalled_at: float | None = None

    def ready(self, now: float) -> None:
        """The child is READY from now on."""
        self._last = None
        self._reported_at = now
        self._stalled_at = None

    def report(self, event: ChildEvent, now: float) -> None:
        """Take a statistics event. Before ``ready`` it says nothing."""
        if self._reported_at is None:
            return
        self._reported_at = now
        if self._stalled is not None and self._last is not None and self._stalled(self._last, event):
            self._stalled_at = now if self._stalled_at is None else self._stalled_at
        else:
            self._stalled_at = None
        self._last = event

    def held_up(self, seconds: float) -> None:
        """The watching itself stood still for so long; that is not the child's fault."""
        if self._reported_at is not None:
            self._reported_at += seconds
        if self._stalled_at is not None:
            self._stalled_at += seconds

    def overdue(self, now: float) -> bool:
        """Tell whether there was no progress for longer than the limit."""
        return any(at is not None and now - at > self._limit for at in (self._reported_at, self._stalled_at))
