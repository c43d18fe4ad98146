"""The sink's statistics: counters since its start, and once a second a ``SinkStats``."""

from collections.abc import Callable, Iterable, Mapping

from pipeline.events import Latency, SinkStats
from pipeline.sink.batch import Partition
from pipeline.text import clean

INTERVAL = 1.0

Lag = Callable[[Mapping[Partition, int | None]], int | None]


class Report:
    """Counts what the sink did and sends it. ``clock`` is monotonic seconds, ``now`` milliseconds since the epoch."""

    def __init__(
        self,
        send: Callable[[SinkStats], None],
        on_ready: Callable[[], None],
        clock: Callable[[], float],
        now: Callable[[], int],
    ) -> None:
        self._send = send
        self._on_ready = on_ready
        self._clock = clock
        self._now = now
        self._inserted: dict[str, int] = {}
        self._durations: list[float] = []
        self._last_insert: int | None = None
        self._sent = clock()
        self._places: dict[Partition, int | None] = {}
        self._ready = False
        self.dead_letters = 0
        self.waiting: str | None = None
        """Why it waits, in the other side's words."""

    def inserted_rows(self, table: str, rows: int, seconds: float) -> None:
        """Count an insert that ClickHouse acknowledged."""
        self._inserted[table] = self._inserted.get(table, 0) + rows
        self._durations.append(seconds * 1000)
        self._last_insert = self._now()

    def assigned(self, places: Mapping[Partition, int | None]) -> None:
        """Note the partitions that are read now and their committed offsets; the first time, the sink is ready."""
        self._places |= places
        if not self._ready:
            self._ready = True
            self._on_ready()

    def revoked(self, places: Iterable[Partition]) -> None:
        """Note partitions that are not read any more."""
        for place in places:
            self._places.pop(place, None)

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note what is done for good."""
        self._places |= offsets

    def tick(self, lag: Lag) -> None:
        """Send a report if a second has passed."""
        if self._clock() - self._sent >= INTERVAL:
            self.send(lag)

    def send(self, lag: Lag) -> None:
        """Send a report now."""
        self._sent = self._clock()
        durations = sorted(self._durations)
        self._durations = []
        latency = None
        if durations:
            latency = Latency(
                durations[len(durations) // 2], durations[min(len(durations) - 1, len(durations) * 99 // 100)]
            )
        self._send(
            SinkStats(
                time=self._now(),
                inserted=dict(self._inserted),
                dead_letters=self.dead_letters,
                waiting=clean(self.waiting) if self.waiting is not None else None,
                lag=lag(self._places) if self._places else None,
                last_insert=self._last_insert,
                latency=latency,
            )
        )
