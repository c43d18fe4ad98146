"""A stack that starts nothing: it notes what it was asked, and the test tells the story."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

from textual.pilot import Pilot

from cryptostreamx_tui.app import CryptoStreamX
from pipeline.broker.messages import Hits, Look, Question
from pipeline.broker.page import Page, TopicView
from pipeline.broker.replay import Plan
from pipeline.broker.replayed import Mark, Marks
from pipeline.desk import Desk
from pipeline.events import (
    BrokerView,
    ChildReport,
    ClusterSeen,
    DeadLettersRead,
    Latency,
    LogLine,
    ProducerStats,
    ReadTrade,
    ServiceChanged,
    SinkStats,
    StackEvent,
    StackPhase,
    StepChanged,
    StepState,
    TradesRead,
    WindowsRead,
    WindowsStats,
)
from pipeline.feed.listing import Listed
from pipeline.model import DeadLetter, Header, ServiceState, Trade, Window
from pipeline.schemas.decode import Decoded
from pipeline.settings import Settings
from pipeline.store.history import Ran
from pipeline.store.query import Answer, QueryError
from pipeline.store.save import Saved
from tests.tui.broker import Topics

NOON = 1_723_118_671_000
"""2024-08-08 12:04:31 UTC."""
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
SERVICES = (
    "zookeeper",
    "kafka-0",
    "kafka-1",
    "kafka-2",
    "schema-registry",
    "clickhouse",
    "exchange",
    "producer",
    "windows",
    "sink",
)


class Clock:
    """A clock that a test moves."""

    def __init__(self, ms: int = NOON) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms

    def forward(self, ms: int) -> None:
        self.ms += ms


def pressed(place: str, *names: str) -> None:
    """Note that a test presses the keys of these actions: ``test_every_action.py`` reads the notes in the source."""


class FakeDesk(Desk):
    """Answers from its attributes, and notes in ``asked`` what it was asked. Its methods are the desk's own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[tuple[str, object]] = []
        self.error: Exception | None = None
        """What the next question raises."""
        self.ran = []
        self.broker = Topics()

    def note(self, question: str, value: object = None) -> None:
        """Note a question; raise what is to be raised."""
        self.asked.append((question, value))
        if self.error is not None:
            raise self.error

    # ---- the exchange's list

    listed: tuple[Listed, ...] = ()

    async def listing(self) -> tuple[Listed, ...]:
        self.note("listing")
        return self.listed

    # ---- a person's queries

    answer: Answer | None = None
    """What a query gives; without one it runs until it is cancelled."""
    running: asyncio.Event | None = None

    async def run_query(self, sql: str, query_id: str, *, confirmed: bool = False) -> Answer:
        self.note("run_query", (sql, confirmed))
        if self.answer is None:
            self.running = asyncio.Event()
            await self.running.wait()
            raise QueryError("Query was cancelled.", 394, "QUERY_WAS_CANCELLED")
        return self.answer

    async def cancel_query(self, query_id: str) -> bool:
        self.asked.append(("cancel_query", bool(query_id)))
        if self.running is not None:
            self.running.set()
        return True

    async def save_query(self, sql: str, ending: str, path: Path, query_id: str) -> Saved:
        self.note("save_query", (sql, ending, path.name))
        return Saved(path, 150_000, 2_345_678)

    ran: list[Ran]

    async def query_history(self) -> list[Ran]:
        return self.ran

    async def remember_query(self, sql: str, at: int) -> None:
        self.ran = [Ran(sql, at), *(one for one in self.ran if one.sql != sql)]

    # ---- records and dead letters, over ``tests.tui.broker``

    async def topics(self) -> tuple[TopicView, ...]:
        self.note("topics")
        return self.broker.topics()

    async def open_topic(self, question: Question, limit: int) -> Look:
        self.note("open_topic", question)
        return self.broker.open(question, limit)

    async def newer(self, question: Question, page: Page, limit: int) -> Look:
        self.note("newer", question)
        return self.broker.newer(question, page, limit)

    async def older(self, question: Question, page: Page, limit: int) -> Look:
        self.note("older", question)
        return self.broker.older(question, page, limit)

    async def search(
        self, question: Question, text: str, after: Page | None, on_progress: Callable[[int], None]
    ) -> Hits:
        self.note("search", (question, text, after is not None))
        on_progress(12_000)
        if self.searching is not None:
            await self.searching.wait()
        return self.broker.search(question, text, after, on_progress)

    searching: asyncio.Event | None = None
    """What a search waits for."""

    async def decode(self, key: bytes | None, value: bytes | None) -> tuple[Decoded, Decoded]:
        self.note("decode")
        return self.broker.decode(key, value)

    async def dry_run(self, letter: DeadLetter, symbols: Collection[str]) -> Plan:
        self.note("dry_run", letter.offset)
        return self.broker.dry_run(letter, symbols)

    async def replay(self, plan: Plan, *, force: bool = False) -> Mark:
        self.note("replay", (plan.target, force))
        return self.broker.replay(plan, force, NOON)

    async def replayed(self) -> Marks:
        return self.broker.replayed()  # not noted: asked whenever letters were read


class FakeStack:
    """Notes commands in ``asked``."""

    def __init__(self, feed: str = "live", symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")) -> None:
        self.settings = Settings.load(
            {"feed": "live" if feed == "live" else "simulated", "symbols": symbols}, env_file=None
        )
        self._feed = feed
        self._symbols: tuple[str, ...] = SYMBOLS
        self.known: tuple[str, ...] = ()
        """What was to be known when the symbols were changed last."""
        self.asked: list[tuple[str, object]] = []
        self.emit: Callable[[StackEvent], None] = lambda _: None
        self.error: Exception | None = None
        """What the next command raises."""
        self.desk: FakeDesk | None = FakeDesk(self.settings)

    @property
    def feed(self) -> str:
        return self._feed

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._symbols

    def last(self) -> tuple[str, object]:
        """The last command and its argument."""
        return self.asked[-1]

    def _note(self, command: str, value: object = None) -> None:
        self.asked.append((command, value))
        if self.error is not None:
            raise self.error

    async def start(self, emit: Callable[[StackEvent], None]) -> None:
        self.emit = emit
        self._note("start")

    async def stop(self) -> None:
        self._note("stop")

    async def retry(self) -> None:
        self._note("retry")

    async def restart(self, service: str) -> None:
        self._note("restart", service)

    async def stop_service(self, service: str) -> None:
        self._note("stop_service", service)

    async def start_service(self, service: str) -> None:
        self._note("start_service", service)

    async def set_symbols(self, symbols: tuple[str, ...], known: tuple[str, ...]) -> None:
        self.known = known
        self._note("set_symbols", symbols)

    async def ask_frame(self, symbol: str, trade_id: int) -> None:
        self._note("ask_frame", (symbol, trade_id))

    async def use_simulated(self) -> None:
        self._note("use_simulated")
        self._feed = "simulated"


def trade(number: int, symbol: str = "BTCUSDT", at: int = NOON, price: float | None = None) -> ReadTrade:
    """A trade that follows from its number alone."""
    base = {"BTCUSDT": 61_837.63, "ETHUSDT": 2_682.51, "SOLUSDT": 155.2, "BNBUSDT": 512.4}.get(symbol, 1.0)
    value = base + (number * 7 % 23 - 11) / 100 if price is None else price
    return ReadTrade(
        Trade(
            event_type="trade",
            event_time=at - 2,
            symbol=symbol,
            trade_id=1000 + number,
            price=round(value, 8),
            quantity=round(0.0144 + number % 7 * 0.01, 5),
            trade_time=at - 3,
            market_maker=number % 3 == 0,
            ignore=True,
            received_time=at,
        ),
        partition=0,
        offset=number,
        timestamp=at,
    )


def trades(count: int, now: int, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"), first: int = 0) -> TradesRead:
    """Trades that arrived over the second before ``now`` and were read 41 ms after they came."""
    made = tuple(
        trade(first + i, symbols[i % len(symbols)], now - 41 - (count - 1 - i) * 1000 // max(count, 1))
        for i in range(count)
    )
    return TradesRead(made, now)


def window(minute: int, symbol: str = "BTCUSDT", size_ms: int = 60_000) -> Window:
    """A closed window."""
    start = NOON // 300_000 * 300_000 + minute * size_ms
    return Window(
        symbol=symbol,
        window_start=start,
        window_end=start + size_ms,
        trade_count=1234 + minute,
        total_quantity=43.21 + minute,
        avg_price=61_830.123,
        min_price=61_790.01,
        max_price=61_871.5,
        open_price=61_801.4,
        close_price=61_837.63,
        vwap=61_832.456,
    )


def service(name: str, now: int, state: ServiceState = ServiceState.READY, **more: object) -> ServiceChanged:
    """A service as the supervisor reports it."""
    index = SERVICES.index(name) if name in SERVICES else 99
    values: dict[str, object] = {
        "pid": 4200 + index if state is ServiceState.READY else None,
        "memory": (80 + index * 31) * 1024 * 1024,
        "address": f"127.0.0.1:{9092 + index}" if index < 7 else None,
        "log_path": f"/home/ada/.local/state/cryptostreamx/logs/{name}.log",
        "since": now - 192_000,
        **more,
    }
    return ServiceChanged(name=name, state=state, time=now, **values)  # type: ignore[arg-type]


def producer(now: int, **more: object) -> ChildReport:
    """The producer's report."""
    values: dict[str, object] = {
        "frames": 61_240,
        "accepted": 61_229,
        "refused": {},
        "control": 4,
        "ignored": 0,
        "acknowledged": 61_201,
        "failed": 0,
        "in_flight": 28,
        "queue": 28,
        "blocked_ms": 0,
        "dead_letters": 0,
        "reconnects": 0,
        "connected": True,
        "connected_since": now - 190_000,
        "last_frame": now,
        "symbols": ("BTCUSDT", "ETHUSDT"),
        "latency": Latency(p50=24.0, p99=51.0),
        **more,
    }
    return ChildReport("producer", ProducerStats(time=now, **values))  # type: ignore[arg-type]


def figures(now: int) -> list[StackEvent]:
    """Reports of a stack in good health."""
    late: dict[str, dict[str, int]] = {"1m": {}, "5m": {}}
    inserted = {"binance_trade": 61_120, "binance_trade_agg_1m": 24, "binance_trade_agg_5m": 4}
    return [
        producer(now),
        ChildReport(
            "windows",
            WindowsStats(
                time=now,
                processed=61_190,
                closed={"1m": 24, "5m": 4},
                late=late,
                duplicates=0,
                poison=0,
                stream_time={0: now - 40},
                lag=0,
            ),
        ),
        ChildReport(
            "sink",
            SinkStats(
                time=now, inserted=inserted, dead_letters=0, lag=0, last_insert=now - 400, latency=Latency(9, 31)
            ),
        ),
        cluster(now),
        DeadLettersRead((), now),
    ]


def cluster(now: int, down: int | None = None) -> ClusterSeen:
    """Three brokers, one of them down if asked for."""
    return ClusterSeen(
        time=now,
        brokers=tuple(
            BrokerView(
                i,
                "127.0.0.1",
                9092 + i,
                i != down,
                led := (2 if down is None else 0 if i == down else 3),
                i == 0,
                replicas=6,
                in_sync=6 if i != down else 0,
                leader_skew=(led - 2) * 50.0,
                replica_skew=0.0,
            )
            for i in range(3)
        ),
        expected_brokers=3,
        partitions=6,
        replicas=18,
        in_sync=18 if down is None else 12,
        under_replicated=0 if down is None else 6,
        topics={"binance_trade": 1},
        controller=0,
    )


def letters(now: int) -> DeadLettersRead:
    """A frame that was refused and a record that ClickHouse did not take."""
    frame = b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723118671000,"s":"BTCUSDT","p":"NaN"}}'
    return DeadLettersRead(
        (
            DeadLetter(
                topic="dlq-clickhouse",
                partition=0,
                offset=0,
                timestamp=now - 9000,
                key=b"ETHUSDT",
                value=b"\x00\x00\x00\x00\x01\x0atrade\xff\xfe",
                headers=(
                    Header("__connect.errors.topic", b"binance_trade"),
                    Header("__connect.errors.partition", b"0"),
                    Header("__connect.errors.offset", b"5120"),
                    Header("__connect.errors.stage", b"VALUE_CONVERTER"),
                    Header("__connect.errors.exception.class.name", b"org.apache.kafka.connect.errors.DataException"),
                    Header("__connect.errors.exception.message", b"unknown schema id 1"),
                ),
            ),
            DeadLetter(
                topic="dlq-producer",
                partition=0,
                offset=7,
                timestamp=now - 1500,
                key=b"BTCUSDT",
                value=frame,
                headers=(
                    Header("error.reason", b"bad_number"),
                    Header("error.field", b"p"),
                    Header("error.detail", b"p is not a plain decimal: 'NaN'"),
                    Header("received_time", b"1723118669500"),
                ),
            ),
        ),
        now,
    )


STEPS = (
    ("downloads", "kafka 3.9.1", StepState.EXISTS, "46 MB in the cache"),
    ("downloads", "apicurio-registry 3.3", StepState.DONE, "152 MB"),
    ("topics", "binance_trade", StepState.DONE, "1 partition, 3 replicas"),
    ("topics", "binance_trade_agg_1m", StepState.EXISTS, ""),
    ("topics", "binance_trade_agg_5m", StepState.EXISTS, ""),
    ("topics", "dlq-producer", StepState.DIFFERENT, "retention.ms is 604800000, wanted -1"),
    ("topics", "dlq-clickhouse", StepState.EXISTS, ""),
    ("schemas", "binance_trade-value", StepState.DONE, "id 1"),
    ("schemas", "binance_trade_agg_1m-value", StepState.DONE, "id 2"),
    ("schemas", "binance_trade_agg_5m-value", StepState.DONE, "id 2"),
    ("clickhouse", "010 database crypto", StepState.DONE, ""),
    ("clickhouse", "020 binance_trade", StepState.DONE, ""),
    ("clickhouse", "030 binance_trade_agg_1m", StepState.DONE, ""),
    ("clickhouse", "040 binance_trade_agg_5m", StepState.DONE, ""),
)


def started(now: int) -> list[StackEvent]:
    """Everything up to a running stack."""
    events: list[StackEvent] = [StackPhase("starting", now - 6000)]
    events += [StepChanged(*step, time=now) for step in STEPS]
    events += [service(name, now) for name in SERVICES]
    events.append(StackPhase("running", now))
    return events


def streaming(now: int) -> list[StackEvent]:
    """A running stack with trades, windows and no trouble."""
    pairs = [window(i, symbol) for i in range(-4, 4) for symbol in ("BTCUSDT", "ETHUSDT")]
    fives = [window(i, symbol, 300_000) for i in range(-1, 0) for symbol in ("BTCUSDT", "ETHUSDT")]
    return [*started(now), *figures(now), WindowsRead((*pairs, *fives), now), trades(200, now)]


def refusal(now: int) -> ChildReport:
    """A warning of the producer."""
    line = LogLine(
        level="WARNING", time=now, message="p is not a plain decimal: 'NaN'", reason="bad_number", symbol="BTCUSDT"
    )
    return ChildReport("producer", line)


def application(feed: str = "live") -> tuple[CryptoStreamX, FakeStack, Clock]:
    """An application on a fake stack, with a clock that stands still."""
    stack, clock = FakeStack(feed), Clock()
    return CryptoStreamX(stack, clock), stack, clock


async def tell(app: CryptoStreamX, pilot: Pilot[int], *events: StackEvent) -> None:
    """Apply events, draw, and wait until all of it is on the screen."""
    for event in events:
        app.emit(event)
    app.tick()
    await pilot.pause()
    app.tick()
    await pilot.pause()


def text_of(app: CryptoStreamX) -> str:
    """The screen as text, a line for each row."""
    width, height = app.size
    rows = app.screen._compositor.render_strips(app.size)
    assert len(rows) == height
    assert width
    return "\n".join("".join(segment.text for segment in row) for row in rows)
