"""What is known of topics, groups, subjects, tables and engines: the last good look, its age, and the last error. Pure.

A look that failed does not make what was seen before it untrue, only old: it stays, with its time, and the error
stands beside it.
"""

from collections import deque
from typing import Generic, TypeVar

from pipeline.inventory import EngineSeen, GroupsSeen, InventoryEvent, RegistrySeen, StoreSeen, TopicsSeen

Seen = TypeVar("Seen", TopicsSeen, GroupsSeen, RegistrySeen, StoreSeen)

TREND_MS = 60_000
"""How far back a group's lag is remembered."""
TRENDS_KEPT = 500
"""Groups whose lag is remembered."""


class Known(Generic[Seen]):
    """One kind of look. ``stale_ms`` is a few looks long."""

    def __init__(self, stale_ms: int) -> None:
        self.seen: Seen | None = None
        """The last look that found something."""
        self.at: int | None = None
        """When that was."""
        self.error: str | None = None
        """Why the newest look failed, in the server's words; None where it did not."""
        self._stale_ms = stale_ms

    def take(self, seen: Seen) -> None:
        """Take a look's result."""
        self.error = seen.error
        if seen.error is None or _holds_something(seen):
            self.seen = seen
            self.at = seen.time  # not when it came: somebody who attaches is told what was seen before

    def age(self, now: int) -> int | None:
        """Return the age of the last good look in ms; None where there was none."""
        return None if self.at is None else max(0, now - self.at)

    def stale(self, now: int) -> bool:
        """Tell whether what is known is too old to be shown as the present."""
        age = self.age(now)
        return age is not None and age > self._stale_ms


class Inventory:
    """Everything that is looked at slowly."""

    def __init__(self) -> None:
        self.topics: Known[TopicsSeen] = Known(20_000)
        self.groups: Known[GroupsSeen] = Known(20_000)
        self.registry: Known[RegistrySeen] = Known(45_000)
        self.store: Known[StoreSeen] = Known(35_000)
        self.engines: dict[str, EngineSeen] = {}
        """Name → last report."""
        self._lags: dict[str, deque[tuple[int, int]]] = {}

    def apply(self, event: InventoryEvent) -> None:
        """Take one event."""
        match event:
            case TopicsSeen():
                self.topics.take(event)
            case GroupsSeen():
                self.groups.take(event)
                self._remember(event)
            case RegistrySeen():
                self.registry.take(event)
            case StoreSeen():
                self.store.take(event)
            case EngineSeen():
                self.engines[event.name] = event

    def _remember(self, event: GroupsSeen) -> None:
        if event.groups:
            names = {group.name for group in event.groups}
            self._lags = {name: lags for name, lags in self._lags.items() if name in names}
        for group in event.groups:
            if group.lag is None or (group.name not in self._lags and len(self._lags) >= TRENDS_KEPT):
                continue
            lags = self._lags.setdefault(group.name, deque())
            lags.append((event.time, group.lag))
            while lags[0][0] < event.time - TREND_MS:
                lags.popleft()

    def trend(self, group: str, now: int) -> list[int]:
        """Return a group's lags over the last minute, oldest first."""
        return [lag for at, lag in self._lags.get(group, ()) if at >= now - TREND_MS]

    def growth(self, group: str, now: int) -> int | None:
        """Return by how much a group's lag grew over the last minute; None where fewer than two looks tell."""
        lags = self.trend(group, now)
        return lags[-1] - lags[0] if len(lags) > 1 else None

    def lag(self, group: str) -> int | None:
        """Return a group's lag as last seen; None while it is unknown."""
        seen = self.groups.seen
        return next((found.lag for found in seen.groups if found.name == group), None) if seen else None


def _holds_something(seen: TopicsSeen | GroupsSeen | RegistrySeen | StoreSeen) -> bool:
    match seen:
        case TopicsSeen():
            return bool(seen.topics)
        case GroupsSeen():
            return bool(seen.groups)
        case RegistrySeen():
            return bool(seen.subjects)
        case StoreSeen():
            return bool(seen.tables)
