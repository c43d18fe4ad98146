"""When to try again and how often one may: backoff with jitter, attempts in a sliding window, a token bucket.

Pure: clocks (monotonic seconds) and randomness come in as arguments.
"""

import random
from collections import deque
from collections.abc import Callable


class Backoff:
    """Delays before the next attempt: the first one short, then growing, each with jitter."""

    def __init__(
        self,
        first: float = 0.25,
        factor: float = 1.8,
        most: float = 30.0,
        jitter: float = 0.25,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """``first`` and ``most`` in seconds; each delay is drawn from its value ± ``jitter`` (a share of it)."""
        self._first, self._factor, self._most, self._jitter, self._uniform = first, factor, most, jitter, uniform
        self._next = first

    def delay(self) -> float:
        """Return the delay before the next attempt, in seconds, and grow."""
        delay = self._next
        self._next = min(delay * self._factor, self._most)
        return delay * self._uniform(1 - self._jitter, 1 + self._jitter)

    def reset(self) -> None:
        """Begin anew: the last attempt brought a stable connection."""
        self._next = self._first


class Attempts:
    """At most so many attempts in any window of time. Binance: 300 connection attempts in 5 minutes for an IP."""

    def __init__(self, limit: int = 290, period: float = 300.0) -> None:
        self._limit, self._period = limit, period
        self._times: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Return the seconds until an attempt is allowed; 0 when it is."""
        while self._times and self._times[0] <= now - self._period:
            self._times.popleft()
        return 0.0 if len(self._times) < self._limit else self._times[0] + self._period - now

    def note(self, now: float) -> None:
        """Record an attempt made now."""
        self._times.append(now)


class TokenBucket:
    """So many a second on average, and so many at once."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, float(burst)
        self._tokens, self._at = float(burst), 0.0

    def wait(self, now: float) -> float:
        """Take a token and return the seconds to wait before using it (0 when one was there)."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)
