"""The life of one supervised process as a pure state machine, and the policy of its restarts.

Knows no process, no timer and no event loop: times come in as seconds of a monotonic clock, and what has to be done
follows from the state that was entered (see ``pipeline.services.runner``).
"""

import random
from collections import deque
from dataclasses import dataclass

from pipeline.model import ServiceState


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How soon, and how often, a process that died is started again. Durations are in seconds."""

    first: float = 0.2
    """Delay before the first restart."""
    factor: float = 2.0
    longest: float = 30.0
    jitter: float = 0.2
    """Each delay is multiplied by a random number between ``1 - jitter`` and ``1 + jitter``."""
    stable_after: float = 30.0
    """READY for this long makes the next failure a first one again."""
    limit: int = 8
    """Failures within ``within``, or starts in a row that never became READY, after which it is given up."""
    within: float = 120.0

    def delay(self, failures: int, rng: random.Random) -> float:
        """Return the seconds to wait after the ``failures``-th failure in a row (counted from 1)."""
        # The exponent is bounded because a float overflows long before the failures of a patient policy end.
        delay = self.first * self.factor ** min(failures - 1, 64)
        return min(self.longest, min(self.longest, delay) * rng.uniform(1 - self.jitter, 1 + self.jitter))


class Lifecycle:
    """One service's state. Each method is an event; it returns whether the state changed.

    An event that means nothing in the present state is ignored (False), since events race: a process may exit in the
    very moment in which it becomes ready or is told to stop.
    """

    def __init__(self, policy: RestartPolicy, rng: random.Random) -> None:
        self.state = ServiceState.STOPPED
        self.since = 0.0
        """When the state was entered."""
        self.retry_at: float | None = None
        """While backing off: when ``retry_due`` is expected."""
        self.last_error: str | None = None
        """Why it failed last; stays through later starts."""
        self.restarts = 0
        """Automatic restarts; a person's do not count."""
        self._policy = policy
        self._rng = rng
        self._doom: str | None = None
        self._wanted_again = False
        self._dependencies_met = False
        self._failures: deque[float] = deque()
        self._in_a_row = 0
        self._failed_starts = 0

    @property
    def doomed(self) -> bool:
        """Whether it was condemned: its process is to be killed, whatever its state says until it has exited."""
        return self._doom is not None

    def wanted(self, now: float) -> bool:
        """Start it: a person's or the stack's wish. The only way out of FAILED and STOPPED."""
        if self.state is ServiceState.STOPPING:
            self._wanted_again = True
            return False
        if self.state not in (ServiceState.STOPPED, ServiceState.FAILED, ServiceState.BACKING_OFF):
            return False
        self._forget_failures()
        return self._enter(ServiceState.WAITING, now)

    def dependencies_ready(self, now: float) -> bool:
        """Everything it depends on is READY: it may be started."""
        if self.state is not ServiceState.WAITING:
            return False
        self._dependencies_met = True
        return self._enter(ServiceState.STARTING, now)

    @property
    def waits_for_dependencies(self) -> bool:
        """Whether it still has to see its dependencies READY.

        Once seen is enough: a producer that died is started again although one of three brokers is away.
        """
        return self.state is ServiceState.WAITING and not self._dependencies_met

    def ready(self, now: float) -> bool:
        """It does its work."""
        if self.state is not ServiceState.STARTING or self.doomed:
            return False
        self._failed_starts = 0
        return self._enter(ServiceState.READY, now)

    def condemned(self, reason: str) -> bool:
        """It took too long to start, or made no progress: it will be killed, and ``exited`` comes with this reason."""
        if self.state not in (ServiceState.STARTING, ServiceState.READY) or self.doomed:
            return False
        self._doom = reason
        return True

    def exited(self, now: float, reason: str) -> bool:
        """Its process is gone, or could not be made."""
        if self.state is ServiceState.STOPPING:
            again, self._wanted_again = self._wanted_again, False
            if again:
                self._forget_failures()
            return self._enter(ServiceState.WAITING if again else ServiceState.STOPPED, now)
        if self.state not in (ServiceState.STARTING, ServiceState.READY):
            return False
        self.last_error = self._doom or reason
        return self._fail(now)

    def retry_due(self, now: float) -> bool:
        """The backoff is over."""
        if self.state is not ServiceState.BACKING_OFF:
            return False
        self.restarts += 1
        return self._enter(ServiceState.STARTING, now)

    def stop(self, now: float) -> bool:
        """Stop it: a person's or the stack's wish. FAILED stays FAILED: nothing runs, and the reason stays in sight."""
        self._wanted_again = False
        if self.state in (ServiceState.WAITING, ServiceState.BACKING_OFF):
            return self._enter(ServiceState.STOPPED, now)
        if self.state in (ServiceState.STARTING, ServiceState.READY):
            return self._enter(ServiceState.STOPPING, now)
        return False

    def deaf(self, reason: str) -> bool:
        """It did not stop when told to, and is killed for it."""
        if self.state is not ServiceState.STOPPING:
            return False
        self.last_error = reason
        return True

    def forget_dependencies(self) -> None:
        """Wait for the dependencies again at the next start: they were stopped too."""
        self._dependencies_met = False

    def _fail(self, now: float) -> bool:
        policy = self._policy
        if self.state is ServiceState.READY:
            if now - self.since >= policy.stable_after:
                self._forget_failures()
        else:
            self._failed_starts += 1
        self._failures.append(now)
        while now - self._failures[0] > policy.within:
            self._failures.popleft()
        self._in_a_row += 1
        if max(len(self._failures), self._failed_starts) >= policy.limit:
            return self._enter(ServiceState.FAILED, now)
        self._enter(ServiceState.BACKING_OFF, now)
        self.retry_at = now + policy.delay(self._in_a_row, self._rng)
        return True

    def _forget_failures(self) -> None:
        self._failures.clear()
        self._in_a_row = 0
        self._failed_starts = 0

    def _enter(self, state: ServiceState, now: float) -> bool:
        self.state = state
        self.since = now
        self.retry_at = None
        self._doom = None
        return True
