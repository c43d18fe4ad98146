"""Everything the screens show, filled by ``apply(event, now)``. Pure: no widget, no clock, no I/O.

Memory is bounded: rings for what streams, one entry for each service, step, symbol. ``revision`` counts changes by
topic of interest; whoever draws compares it with what was drawn last. A batch of trades costs well under a
microsecond a trade: nothing is made of a trade before somebody looks at it.
"""

from collections import Counter, defaultdict
from itertools import repeat
from typing import NamedTuple, TypeAlias

from cryptostreamx_tui.inventory import Inventory
from cryptostreamx_tui.latency import Latencies
from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.summary import Rate, SymbolSummary
from cryptostreamx_tui.windows import Windows
from pipeline.events import (
    ChildReport,
    ClusterSeen,
    DaySeen,
    DayTicker,
    DeadLettersRead,
    ExchangeStats,
    Failed,
    FrameFound,
    HistoryRead,
    LogLine,
    ProducerStats,
    ReaderTrouble,
    ReadTrade,
    Ready,
    ServiceChanged,
    SinkStats,
    StackEvent,
    StackPhase,
    StepChanged,
    StepState,
    SymbolsWanted,
    TradesRead,
    WindowsRead,
    WindowsStats,
)
from pipeline.inventory import EngineSeen, GroupsSeen, RegistrySeen, StoreSeen, TopicsSeen
from pipeline.model import DeadLetter, ServiceState

TRADES_KEPT = 10_000
OTHERS_KEPT = 2_000
SYMBOLS_KEPT = 1_000
STATS_STALE_MS = 5_000
FEED_STALE_MS = 10_000
DAY_STALE_MS = 300_000
"""After which a 24-hour ticker says nothing of the last 24 hours any more."""
FRAMES_KEPT = 64
LATENCY_SAMPLES = 64
"""Trades of one batch whose latency is taken."""

TapeEntry: TypeAlias = tuple[ReadTrade, int]
"""A trade and when it was read."""


class LogEntry(NamedTuple):
    """One warning or error of a service."""

    time: int
    level: str
    service: str
    message: str
    reason: str | None = None
    symbol: str | None = None


class Step(NamedTuple):
    """A start-up step with the times it began and ended."""

    event: StepChanged
    began: int | None
    ended: int | None


class State:
    """What is known. Attributes are read freely; only ``apply``, ``drawn``, ``want`` and ``know`` change them."""

    def __init__(self) -> None:
        self.revision: Counter[str] = Counter()
        """Topic (trades, symbols, windows, dead, log, services, steps, cluster, stats, phase, reader) → changes."""
        self.feed = "live"
        self.attached = False
        """Whether the pipeline is another instance's, and only watched here."""
        self.known: dict[str, None] = {}
        """Symbols in the order of their digits."""
        self.wanted: tuple[str, ...] = ()
        self._removed: set[str] = set()
        """Symbols a person took away: a report that still names one does not bring it back."""
        self._clear()

    def _clear(self) -> None:
        self.trades: Ring[TapeEntry] = Ring(TRADES_KEPT)
        self.windows = Windows()
        self.dead: Ring[DeadLetter] = Ring(OTHERS_KEPT)
        self.dead_reasons: Counter[tuple[str, str]] = Counter()
        """(topic, reason) → dead letters read."""
        self.dead_read = False
        self.log: Ring[LogEntry] = Ring(OTHERS_KEPT)
        self.symbols: dict[str, SymbolSummary] = {}
        self.day: dict[str, DayTicker] = {}
        self.day_at: int | None = None
        self.day_error: str | None = None
        """Why the exchange does not tell its 24-hour tickers, in its own words; None while it does."""
        self.frames: dict[tuple[str, int], str | None] = {}
        """(symbol, trade id) → what the producer answered when it was asked for the raw frame."""
        self.rate = Rate()
        self.services: dict[str, ServiceChanged] = {}
        self.steps: dict[tuple[str, str], Step] = {}
        self.cluster: ClusterSeen | None = None
        self.producer: ProducerStats | None = None
        self.windowing: WindowsStats | None = None
        self.sink: SinkStats | None = None
        self.exchange: ExchangeStats | None = None
        self.stats_at: dict[str, int] = {}
        """Kind of statistics (producer, windows, sink, exchange) → when they came."""
        self.inventory = Inventory()
        self.phase: StackPhase | None = None
        self.started: int | None = None
        self.trouble: ReaderTrouble | None = None
        self.latencies = Latencies()

    # ------------------------------------------------------------ symbols

    def know(self, symbols: tuple[str, ...]) -> None:
        """Add symbols to those that have a digit."""
        for symbol in symbols:
            self.known.setdefault(symbol)
        self._removed.difference_update(symbols)
        self.revision["symbols"] += 1

    def arrange(self, symbols: tuple[str, ...]) -> None:
        """Set which symbols have a digit, in order; the others are removed."""
        self._removed.update(self.known)
        self.known = {}
        self.know(symbols)

    def want(self, symbols: tuple[str, ...]) -> None:
        """Set which symbols the user wants streamed."""
        self.wanted = symbols
        self.know(symbols)

    def subscription(self, symbol: str) -> str:
        """Return ``on``, ``off``, or what it waits for.

        ``subscribing…`` and ``leaving…``: the exchange's acknowledgement; ``connecting…``: a connection to it;
        ``not listed``: nothing, the exchange does not know it.
        """
        producer = self.producer
        streaming = producer is not None and symbol in producer.symbols
        if symbol not in self.wanted:
            return "leaving…" if streaming else "off"
        if streaming:
            return "on"
        if producer is None or symbol in producer.pending:
            return "subscribing…" if producer is None or producer.connected else "connecting…"
        return "not listed" if symbol in producer.unlisted else "subscribing…"

    def day_change(self, symbol: str, now: int) -> float | None:
        """Return the change of a symbol's price over 24 hours, as a fraction; None while it is unknown."""
        ticker = self.day.get(symbol)
        if ticker is None or not ticker.whole or self.day_at is None or now - self.day_at > DAY_STALE_MS:
            return None
        summary = self.symbols.get(symbol)
        live = summary is not None and symbol in self.wanted and self.stale(symbol, now) is None
        price = summary.price if live and summary is not None and summary.price is not None else ticker.last
        return price / ticker.open - 1

    def stale(self, symbol: str, now: int) -> int | None:
        """Return the age of a wanted symbol's last trade in ms, where it is too old to be called live."""
        summary = self.symbols.get(symbol)
        age = None if summary is None or symbol not in self.wanted else summary.age(now)
        return age if age is not None and age > FEED_STALE_MS else None

    def feed_age(self, now: int) -> int | None:
        """Return the age of the newest trade of any symbol, in ms; None before the first."""
        seen = [s.last_seen for s in self.symbols.values() if s.last_seen is not None]
        return max(0, now - max(seen)) if seen else None

    def frames_arrive(self, now: int) -> bool:
        """Tell whether the exchange sends, by the producer's own report, whatever comes back out of Kafka."""
        last = None if self.producer is None else self.producer.last_frame
        return last is not None and now - last <= FEED_STALE_MS

    # ------------------------------------------------------------ figures

    def stats_age(self, kind: str, now: int) -> int | None:
        """Return the age of a kind of statistics in ms; None where none came."""
        at = self.stats_at.get(kind)
        return None if at is None else max(0, now - at)

    @property
    def lag(self) -> int | None:
        """Records the slower of windows and sink is behind; None while either is unknown."""
        lags = [s.lag if s else None for s in (self.windowing, self.sink)]
        known = [lag for lag in lags if lag is not None]
        return max(known) if len(known) == len(lags) else None

    @property
    def refused(self) -> int | None:
        """Frames refused since the producer's start; None while unknown."""
        return None if self.producer is None else sum(self.producer.refused.values())

    @property
    def dead_letters(self) -> int | None:
        """Dead letters in both topics as read back; None before they were read."""
        return self.dead_reasons.total() if self.dead_read else None

    @property
    def unreachable(self) -> str | None:
        """Why the live feed has no connection, in the exchange's or the system's words; None where it has one."""
        if self.feed != "live" or self.producer is None or self.producer.connected:
            return None
        return self.producer.feed_error

    @property
    def ended(self) -> bool:
        """Whether a recording has been sent to its end: what is old now is not stale, nothing more will come."""
        return self.exchange is not None and self.exchange.ended

    @property
    def watched_ended(self) -> bool:
        """Whether the pipeline that was watched is there no more: all that stands here is old."""
        return self.attached and self.phase is not None and self.phase.phase == "stopped"

    @property
    def failed_services(self) -> list[ServiceChanged]:
        """Services that only a person starts again."""
        return [service for service in self.services.values() if service.state is ServiceState.FAILED]

    @property
    def needs_retry(self) -> bool:
        """Whether something failed that ``retry`` would try again."""
        return (
            bool(self.failed_services)
            or self.unreachable is not None
            or (self.phase is not None and self.phase.phase == "failed")
            or any(step.event.state is StepState.FAILED for step in self.steps.values())
        )

    def drawn(self, now: int) -> None:
        """Say that everything applied so far is on the screen at ``now``."""
        self.latencies.drawing(trades=True, windows=True)
        self.latencies.displayed(now)

    def latency(self, now: int) -> tuple[int, int] | None:
        """Return p50 and p99 of received → on screen over the last minute, in ms; None where nothing came."""
        found = self.latencies.on_screen.quantiles(now)
        return None if found is None else found[:2]

    # ------------------------------------------------------------ events

    def apply(self, event: StackEvent, now: int) -> None:
        """Take one event from the stack."""
        match event:
            case TradesRead():
                self._trades(event, now)
            case ChildReport():
                self._child(event, now)
            case ServiceChanged():
                self.services[event.name] = event
                self.revision["services"] += 1
            case StepChanged():
                self._step(event, now)
            case WindowsRead():
                self.latencies.closed(event.windows, self.started or 0)
                self.revision["windows"] += self.windows.read(event.windows)
            case HistoryRead():
                self.windows.history(event)
                self.revision["windows"] += 1
            case DeadLettersRead():
                self.dead_read = True
                self.dead.extend(event.letters, len(event.letters))
                self.dead_reasons.update((letter.topic, letter.reason) for letter in event.letters)
                self.revision["dead"] += 1
            case ReaderTrouble():
                self.trouble = event if event.message is not None else None
                if event.message is not None:
                    self._log(LogEntry(event.time, "ERROR", "reader", event.message))
                self.revision["reader"] += 1
            case ClusterSeen():
                self.cluster = event
                self.stats_at["cluster"] = now
                self.revision["cluster"] += 1
            case TopicsSeen() | GroupsSeen() | RegistrySeen() | StoreSeen() | EngineSeen():
                self.inventory.apply(event)
                self.revision["inventory"] += 1
            case StackPhase():
                self._phase(event)
            case SymbolsWanted():
                if event.known:
                    self.arrange(event.known)
                self.want(event.symbols)
            case DaySeen():
                self.day_error = event.error
                if event.error is None:
                    self.day, self.day_at = event.tickers, now
                self.revision["symbols"] += 1

    def _trades(self, event: TradesRead, now: int) -> None:
        trades = event.trades
        if not trades:
            return
        kept = trades[-TRADES_KEPT:]
        self.trades.extend(zip(kept, repeat(event.time)), len(trades))
        by_symbol: defaultdict[str, list[ReadTrade]] = defaultdict(list)
        for read in trades:
            by_symbol[read.trade.symbol].append(read)
        for symbol, of_symbol in by_symbol.items():
            summary = self.symbols.get(symbol)
            if summary is None:
                if len(self.symbols) >= SYMBOLS_KEPT:
                    continue
                summary = self.symbols[symbol] = SymbolSummary()
            summary.update(of_symbol[-1], len(of_symbol), now, self.started or 0)
        if self.windows.trades({symbol: [read.trade for read in reads] for symbol, reads in by_symbol.items()}):
            self.revision["windows"] += 1
        # What an earlier run received is read at the start; it says nothing of how fast this one is.
        if trades[0].trade.received_time >= (self.started or 1):
            self.rate.add(len(trades), now)
            step = max(1, len(trades) // LATENCY_SAMPLES)
            self.latencies.read(read.trade.received_time for read in trades[::step])
        self.revision["trades"] += 1
        self.revision["symbols"] += 1

    def _child(self, report: ChildReport, now: int) -> None:
        child = report.event
        match child:
            case LogLine():
                entry = LogEntry(child.time, child.level, report.service, child.message, child.reason, child.symbol)
                self._log(entry)
                return
            case Failed():
                self._log(LogEntry(now, "CRITICAL", report.service, child.reason))
                return
            case Ready():
                return
            case FrameFound():
                self.frames[child.symbol, child.trade_id] = child.frame
                while len(self.frames) > FRAMES_KEPT:
                    del self.frames[next(iter(self.frames))]
                self.revision["frames"] += 1
                return
            case ProducerStats():
                changed = self.producer is None or (child.symbols, child.pending) != (
                    self.producer.symbols,
                    self.producer.pending,
                )
                self.producer = child
                self.latencies.report(child, now)
                self.windows.since = {} if self.feed.startswith("replay") else child.streamed_since
                self.stats_at["producer"] = now
                if changed:
                    self.know(tuple(symbol for symbol in child.symbols if symbol not in self._removed))
                for symbol, summary in self.symbols.items():
                    summary.streamed(child.streamed_since.get(symbol), now)
            case WindowsStats():
                self.windowing = child
                self.revision["windows"] += self.windows.late(child.late_windows)
                self.stats_at["windows"] = now
            case SinkStats():
                self.sink = child
                self.stats_at["sink"] = now
            case ExchangeStats():
                self.exchange = child
                self.stats_at["exchange"] = now
        self.revision["stats"] += 1

    def _step(self, event: StepChanged, now: int) -> None:
        before = self.steps.get((event.group, event.name))
        waiting = event.state is StepState.WAITING
        over = event.state in (StepState.DONE, StepState.EXISTS, StepState.DIFFERENT, StepState.FAILED)
        again = before is None or before.ended is not None or before.began is None
        began = None if waiting else now if again or before is None else before.began
        self.steps[event.group, event.name] = Step(event, began, now if over else None)
        self.revision["steps"] += 1

    def _phase(self, event: StackPhase) -> None:
        if event.phase == "starting":
            if self.phase is not None and self.phase.phase in ("stopping", "stopped"):
                # Another run, perhaps on another feed: nothing of the last one may be taken for it.
                self._clear()
                self.revision.update(list(self.revision))
            if self.started is None:
                self.started = event.time
        self.phase = event
        self.revision["phase"] += 1

    def _log(self, entry: LogEntry) -> None:
        self.log.append(entry)
        self.revision["log"] += 1
