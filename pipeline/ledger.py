"""The books of one run: what each part reported, what does not add up, and the summary. Pure: no clock, no I/O.

Counters of a child begin anew when it is restarted; the ledger adds up its lives. What a life that ended with a kill
had not reported is unknown, and said to be: it is never assumed.
"""

from collections import Counter
from dataclasses import dataclass, field

from pipeline.events import ChildEvent, ExchangeStats, ProducerStats, SinkStats, WindowsStats


@dataclass(slots=True)
class _Lives:
    """The lives of the producer: the last report of each."""

    ended: list[ProducerStats] = field(default_factory=list)
    current: ProducerStats | None = None

    def apply(self, stats: ProducerStats) -> None:
        if self.current is not None and stats.frames < self.current.frames:
            self.ended.append(self.current)
        self.current = stats

    @property
    def all(self) -> list[ProducerStats]:
        return [*self.ended, *([self.current] if self.current else [])]


@dataclass(slots=True)
class Stored:
    """What an audit of the store found for this run."""

    rows: int = 0
    """Distinct (symbol, trade_id) among the accepted ones."""
    due: dict[str, int] = field(default_factory=dict)
    """Size → windows that must be closed, worked out from the stored trades."""
    closed: dict[str, int] = field(default_factory=dict)
    """Size → those of them that are stored."""
    wrong: tuple[str, ...] = ()
    """Windows that are stored and do not agree with the trades, in words."""


@dataclass(slots=True)
class Ledger:
    """Takes the children's reports; tells what is still missing before everything has arrived."""

    exchange: ExchangeStats | None = None
    windows: WindowsStats | None = None
    sink: SinkStats | None = None
    _producer: _Lives = field(default_factory=_Lives)

    def apply(self, event: ChildEvent) -> None:
        """Take a report; other events are none of the ledger's business."""
        match event:
            case ProducerStats():
                self._producer.apply(event)
            case ExchangeStats():
                self.exchange = event
            case WindowsStats():
                self.windows = event
            case SinkStats():
                self.sink = event
            case _:
                pass

    @property
    def producer(self) -> ProducerStats | None:
        """The newest report of the producer."""
        return self._producer.current

    def total(self, counter: str) -> int:
        """Sum a counter of ``ProducerStats`` over the producer's lives."""
        return sum(getattr(stats, counter) for stats in self._producer.all)

    @property
    def refused(self) -> dict[str, int]:
        """Reason → frames refused, over the producer's lives."""
        result: Counter[str] = Counter()
        for stats in self._producer.all:
            result.update(stats.refused)
        return dict(result)

    def unsettled(self) -> list[str]:
        """Return, in words, what has not come to rest between the recording and Kafka; empty when all has."""
        exchange, producer = self.exchange, self.producer
        if exchange is None or producer is None:
            return ["the exchange and the producer have not reported yet"]
        problems = []
        if not exchange.ended:
            problems.append(f"{exchange.frames_sent} of {exchange.total} frames sent")
        received = self.total("frames") - self.total("control")
        if received != exchange.frames_sent:
            problems.append(f"{received} of {exchange.frames_sent} frames received")
        refused = sum(self.refused.values())
        accounted = self.total("accepted") + refused + self.total("ignored")
        if accounted != received:
            problems.append(f"{received - accounted} received frames are neither accepted, refused nor ignored")
        if self.total("acknowledged") != self.total("accepted"):
            problems.append(f"{self.total('acknowledged')} of {self.total('accepted')} trades acknowledged")
        if self.total("dead_letters") != refused:
            problems.append(f"{self.total('dead_letters')} of {refused} refusals in the dead letter topic")
        if self._producer.ended:
            problems.append("the producer was restarted; what it held then is unknown")
        return problems

    def unstored(self, stored: Stored) -> list[str]:
        """Return, in words, what is missing or wrong in the store; empty when nothing is."""
        problems = list(stored.wrong)
        if stored.rows != self.total("accepted"):
            problems.append(f"{stored.rows} of {self.total('accepted')} accepted trades stored")
        problems.extend(
            f"{stored.closed.get(size, 0)} of {due} due {size} windows stored"
            for size, due in stored.due.items()
            if stored.closed.get(size, 0) != due
        )
        return problems

    def summary(self, stored: Stored | None, missing: list[str]) -> dict[str, object]:
        """Return the summary's fields; what no part reported is None, never 0."""
        exchange, windows = self.exchange, self.windows
        return {
            "type": "summary",
            "complete": not missing,
            "missing": missing,
            "frames": {
                "recorded": exchange.total if exchange else None,
                "sent": exchange.frames_sent if exchange else None,
                "withheld": exchange.withheld if exchange else None,
                "received": self.total("frames") - self.total("control") if self.producer else None,
                "ignored": self.total("ignored") if self.producer else None,
            },
            "accepted": self.total("accepted") if self.producer else None,
            "refused": self.refused if self.producer else None,
            "acknowledged": self.total("acknowledged") if self.producer else None,
            "stored": stored.rows if stored else None,
            "windows_due": stored.due if stored else None,
            "windows_closed": stored.closed if stored else None,
            "late": windows.late if windows else None,
            "dead_letters": {
                "producer": self.total("dead_letters") if self.producer else None,
                "sink": self.sink.dead_letters if self.sink else None,
            },
        }
