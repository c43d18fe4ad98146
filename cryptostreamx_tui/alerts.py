"""Alerts: raised, acknowledged, cleared. Pure: looked at once a second with the state and the time.

Nothing flaps: a rule's condition must hold for its ``hold`` before an alert is raised, and be over for its ``clear``
before it is cleared; what comes back meanwhile is the same alert, counted once more. What is unknown changes nothing:
it raises no alert and clears none.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from cryptostreamx_tui.rules import Check, Finding
from cryptostreamx_tui.state import State

_by_number = attrgetter("number")
KEPT = 200
"""Cleared alerts that are kept."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Times are in milliseconds since the epoch."""

    number: int
    """Counted from 1, in the order they were raised."""
    rule: str
    subject: str
    """A service, a symbol, or an empty string."""
    words: str
    advice: str
    first: int
    """When it began: before it was raised, where it had to hold for a while."""
    raised: int
    last: int
    """When it was last found so."""
    count: int
    """How often it came, or how many of it there are."""
    acknowledged: int | None = None
    cleared: int | None = None

    @property
    def active(self) -> bool:
        """Whether it is still so, as far as is known."""
        return self.cleared is None

    @property
    def calls(self) -> bool:
        """Whether it wants a person."""
        return self.active and self.acknowledged is None

    @property
    def status(self) -> str:
        """``active``, ``acknowledged`` or ``cleared``."""
        return "cleared" if self.cleared is not None else "active" if self.acknowledged is None else "acknowledged"

    def lasts(self, now: int) -> int:
        """Return how long it lasted until it was cleared, or until now; in ms."""
        return max(0, (now if self.cleared is None else self.cleared) - self.first)


@dataclass(slots=True)
class _Watch:
    """What is known of one subject of one rule."""

    wrong_since: int | None = None
    well_since: int | None = None
    alert: Alert | None = None


class AlertBook:
    """All alerts of a session. ``revision`` changes with every change."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = [(check, dict[str, _Watch]()) for check in checks]
        self._cleared: deque[Alert] = deque(maxlen=KEPT)
        self._number = 0
        self.revision = 0

    # ------------------------------------------------------------ what is there

    @property
    def _watches(self) -> Iterator[_Watch]:
        return (watch for _, watches in self._checks for watch in watches.values())

    @property
    def active(self) -> list[Alert]:
        """Those that are not cleared, newest first."""
        found = [watch.alert for watch in self._watches if watch.alert is not None]
        return sorted(found, key=_by_number, reverse=True)

    @property
    def calling(self) -> list[Alert]:
        """Those that nobody has acknowledged yet, newest first."""
        return [alert for alert in self.active if alert.calls]

    def all(self) -> list[Alert]:
        """Return all of them, newest first: none ever changes its place."""
        return sorted([*self.active, *self._cleared], key=_by_number, reverse=True)

    # ------------------------------------------------------------ what changes it

    def look(self, state: State, now: int) -> list[Alert]:
        """Look at every rule; return what is raised by it."""
        raised: list[Alert] = []
        for check, watches in self._checks:
            answer = check.look(state, now)
            for subject, finding in answer.items():
                watch = watches.setdefault(subject, _Watch())
                if finding is None:
                    self._well(check, watch, now)
                elif self._wrong(check, subject, watch, finding, now) and watch.alert is not None:
                    raised.append(watch.alert)
            for subject, watch in watches.items():
                if subject not in answer:
                    # Neither what was wrong nor what was well is known to go on: both begin anew.
                    watch.wrong_since = watch.well_since = None
        return raised

    def acknowledge(self, number: int, now: int) -> bool:
        """Say that a person has seen an alert; tell whether that was new."""
        for watch in self._watches:
            if watch.alert is not None and watch.alert.number == number and watch.alert.calls:
                self._set(watch, replace(watch.alert, acknowledged=now))
                return True
        return False

    def acknowledge_all(self, now: int) -> int:
        """Say that a person has seen all of them; return how many that were."""
        return sum(self.acknowledge(alert.number, now) for alert in self.calling)

    def _set(self, watch: _Watch, alert: Alert | None) -> None:
        watch.alert = alert
        self.revision += 1

    def _wrong(self, check: Check, subject: str, watch: _Watch, finding: Finding, now: int) -> bool:
        """Take what was found; tell whether it raises an alert."""
        back = watch.well_since is not None
        watch.well_since = None
        if watch.wrong_since is None:
            watch.wrong_since = now
        alert = watch.alert
        if alert is not None:
            count = alert.count + (finding.more or back)
            self._set(watch, replace(alert, words=finding.words, advice=finding.advice, last=now, count=count))
            return False
        if now - watch.wrong_since < check.hold * 1000:
            return False
        self._number += 1
        alert = Alert(
            number=self._number,
            rule=check.name,
            subject=subject,
            words=finding.words,
            advice=finding.advice,
            first=watch.wrong_since,
            raised=now,
            last=now,
            count=finding.more or 1,
        )
        self._set(watch, alert)
        return True

    def _well(self, check: Check, watch: _Watch, now: int) -> None:
        watch.wrong_since = None
        alert = watch.alert
        if alert is None:
            return
        if watch.well_since is None:
            watch.well_since = now
        waited = now - watch.well_since >= check.clear * 1000
        if waited and not (check.stays and alert.acknowledged is None):
            self._cleared.append(replace(alert, cleared=now))
            watch.well_since = None
            self._set(watch, None)
