"""How far the exchange's clock is from this machine's: estimated from answers of REST's ``GET /api/v3/time``. Pure.

As NTP does it: the server read its clock some time between our question and its answer, so the offset lies within half
the round trip of (server time) - (middle of the two). The shortest round trip is the best sample. The weight of the
request is 1 of 6,000 a minute (binance-spot-api-docs, rest-api.md).
"""

from collections import deque
from typing import NamedTuple

from pipeline.events import ClockOffset

KEPT_MS = 5 * 60_000
"""For so long a sample stays the best one: clocks drift by some milliseconds an hour, round trips vary by more."""


class Sample(NamedTuple):
    """One answer. Our times in ms with fractions; the server's in whole ms, as it tells them."""

    sent: float
    received: float
    server: int

    @property
    def offset(self) -> float:
        """The server's clock minus ours."""
        return self.server - (self.sent + self.received) / 2

    @property
    def uncertainty(self) -> float:
        """Half the round trip."""
        return (self.received - self.sent) / 2


class Offset:
    """The best sample of the last minutes."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()

    def add(self, sample: Sample) -> None:
        """Take a sample; what contradicts it is forgotten, one clock has been set since then."""
        if sample.received < sample.sent:
            return  # ours was set back between the two: it says nothing
        self._samples = deque(
            kept
            for kept in self._samples
            # Server times are whole milliseconds, rounded down: 1 ms of difference is none.
            if abs(kept.offset - sample.offset) <= kept.uncertainty + sample.uncertainty + 1
        )
        self._samples.append(sample)

    def best(self, now: float) -> ClockOffset | None:
        """Return the estimate at ``now``; None where no sample is fresh enough."""
        fresh = [sample for sample in self._samples if 0 <= now - sample.received <= KEPT_MS]
        if not fresh:
            return None
        sample = min(fresh, key=lambda sample: sample.uncertainty)
        return ClockOffset(ms=sample.offset, uncertainty=sample.uncertainty, measured_at=int(sample.received))
