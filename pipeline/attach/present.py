"""How an instance stands, as the fewest events that tell it: what somebody who comes late is told first. Pure."""

from collections import deque

from pipeline.events import ChildReport, Failed, LogLine, StackEvent, StackPhase

LINES_KEPT = 500
"""Lines of the services' logs, the last ones."""
FRESH_MS = 5_000
"""Older statistics are not told again: they would look new where they arrive."""

Key = tuple[object, ...]


def key_of(event: StackEvent) -> Key:
    """Return what an event replaces: the last one of its kind and, where it has them, its group and name."""
    if isinstance(event, ChildReport):
        return (ChildReport, event.service, type(event.event))
    return (type(event), getattr(event, "group", None), getattr(event, "name", None))


class Present:
    """Keeps what was told last. ``apply`` takes what is broadcast; ``events`` gives it back in a good order."""

    def __init__(self) -> None:
        self._began: StackPhase | None = None
        self._phase: StackPhase | None = None
        self._last: dict[Key, StackEvent] = {}
        self._lines: deque[ChildReport] = deque(maxlen=LINES_KEPT)

    def apply(self, event: StackEvent) -> None:
        """Take one event."""
        if isinstance(event, StackPhase):
            if event.phase == "starting" and self._began is None:
                self._began = event
            self._phase = event
        elif isinstance(event, ChildReport) and isinstance(event.event, LogLine | Failed):
            self._lines.append(event)
        else:
            self._last[key_of(event)] = event

    def events(self, now: int) -> list[StackEvent]:
        """Return the events that make somebody who knows nothing know the present. ``now`` is in milliseconds."""
        told: list[StackEvent] = [] if self._began is None else [self._began]
        told += [event for event in self._last.values() if _is_fresh(event, now)]
        told += self._lines
        if self._phase is not None and self._phase is not self._began:
            told.append(self._phase)
        return told


def _is_fresh(event: StackEvent, now: int) -> bool:
    if not isinstance(event, ChildReport):
        return True
    time = getattr(event.event, "time", None)  # statistics have one
    return time is not None and now - time <= FRESH_MS
