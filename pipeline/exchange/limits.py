"""Binance's limits: messages of a connection, connection attempts, request weight. Pure: the clock is an argument."""

from collections import deque

MESSAGES_A_SECOND = 5
STREAMS_A_CONNECTION = 1024
CONNECTION_ATTEMPTS = 300
ATTEMPTS_WINDOW_S = 300.0
REQUEST_WEIGHT_A_MINUTE = 6000
BAN_AFTER = 10
"""Requests in spite of 429 after which the address is banned; Binance does not publish its number."""
BAN_MS = 120_000
"""The shortest ban of Binance's (rest-api.md: 2 minutes to 3 days)."""


class SlidingLimit:
    """At most ``limit`` events in any ``seconds``."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._times: deque[float] = deque()

    def allows(self, now: float) -> bool:
        """Count one event at ``now`` (s) and tell whether it is within the limit."""
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        if len(self._times) >= self._limit:
            return False
        self._times.append(now)
        return True


class RequestWeight:
    """The weight that one address used in this minute of the clock, and the bans that follow from too much of it."""

    def __init__(self, limit: int = REQUEST_WEIGHT_A_MINUTE) -> None:
        self.limit = limit
        self.used = 0
        self._minute = 0
        self._refused = 0
        self.banned_until = 0
        """Milliseconds since the epoch; 0 where there was no ban."""

    def spend(self, weight: int, now: int) -> int:
        """Count a request at ``now`` (ms) and return its HTTP status: 200, 429, or 418 while banned."""
        if now < self.banned_until:
            return 418
        if now // 60_000 != self._minute:
            self._minute, self.used, self._refused = now // 60_000, 0, 0
        self.used += weight
        if self.used <= self.limit:
            return 200
        self._refused += 1
        if self._refused > BAN_AFTER:
            self.banned_until = now + BAN_MS
            return 418
        return 429

    def retry_after(self, now: int) -> int:
        """Return the seconds until a request can succeed again, at least 1."""
        free_at = self.banned_until if now < self.banned_until else (now // 60_000 + 1) * 60_000
        return max(1, -(-(free_at - now) // 1000))
