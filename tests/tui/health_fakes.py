"""An inventory as real servers told it: topics, groups, subjects, tables, engines."""

from pipeline.events import StackEvent
from pipeline.inventory import (
    EngineSeen,
    GroupsSeen,
    GroupView,
    LagView,
    MemberView,
    PartitionView,
    RegistrySeen,
    StoreSeen,
    SubjectView,
    TableView,
    TaskView,
    TopicsSeen,
    TopicView,
    VersionView,
)

KEPT = {
    "cleanup.policy": "delete",
    "max.message.bytes": "2097152",
    "min.insync.replicas": "2",
    "retention.ms": "-1",
}
SCHEMA = '{"type":"record","name":"BinanceTrade","fields":[{"name":"symbol","type":"string"}]}'
NAMES = ("binance_trade", "binance_trade_agg_1m", "binance_trade_agg_5m", "dlq-clickhouse", "dlq-producer")


def topic(name: str, end: int, rate: float | None = 0.0, in_sync: tuple[int, ...] = (0, 1, 2)) -> TopicView:
    """A topic of one partition."""
    return TopicView(name, (PartitionView(0, in_sync[0], (0, 1, 2), in_sync, 0, end),), rate, KEPT)


def topics(now: int, *more: TopicView, **fields: object) -> TopicsSeen:
    """The topics of a running stack."""
    kafkas = TopicView(
        "__consumer_offsets",
        tuple(PartitionView(number, number % 3, (0, 1, 2), (0, 1, 2)) for number in range(10)),
        None,
        {"cleanup.policy": "compact"},
    )
    listed = [topic(name, end) for name, end in zip(NAMES[1:], (24, 4, 1, 7), strict=True)]
    values: dict[str, object] = {"config_time": now - 12_000, **fields}
    return TopicsSeen(now, (kafkas, topic(NAMES[0], 61_229, 312.4), *listed, *more), **values)  # type: ignore[arg-type]


def groups(now: int, lag: int = 36, **fields: object) -> GroupsSeen:
    """The sink's and the windows' groups."""
    places = (("binance_trade", 0), ("binance_trade_agg_1m", 0))
    sink = GroupView(
        "cryptostreamx-sink",
        "STABLE",
        (MemberView("cryptostreamx-sink-0-5cb8", "rdkafka", "/127.0.0.1", places, "cryptostreamx-sink-0"),),
        (LagView("binance_trade", 0, 61_229 - lag, 61_229), LagView("binance_trade_agg_1m", 0, None, 24)),
        0,
        "range",
    )
    windows = GroupView("cryptostreamx-windows", "EMPTY", (), (LagView("binance_trade", 0, 61_229, 61_229),), 1)
    return GroupsSeen(now, (sink, windows), **fields)  # type: ignore[arg-type]


def registry(now: int, **fields: object) -> RegistrySeen:
    """Three subjects."""
    versions = (VersionView(1, 1, SCHEMA), VersionView(2, 4, SCHEMA.replace("string", "bytes")))
    subjects = (
        SubjectView("binance_trade-value", versions, "FULL"),
        SubjectView("binance_trade_agg_1m-value", (VersionView(1, 2, SCHEMA),), None),
        SubjectView("binance_trade_agg_5m-value", (VersionView(1, 2, SCHEMA),), None),
    )
    values: dict[str, object] = {"compatibility": "BACKWARD", "subjects": subjects, **fields}
    return RegistrySeen(now, "http://127.0.0.1:8081/apis/ccompat/v7", **values)  # type: ignore[arg-type]


def store(now: int, **fields: object) -> StoreSeen:
    """The pipeline's tables."""
    tables = (
        TableView("binance_trade", "ReplacingMergeTree", 61_120, 1_724_059, 4, now - 1_000, now - 402, received=True),
        TableView("binance_trade_agg_1m", "ReplacingMergeTree", 24, 4_100, 2, now - 20_000, now - 31_000),
        TableView("binance_trade_agg_5m", "ReplacingMergeTree", 0, 0, 0),
    )
    return StoreSeen(now, "26.9.2.1", **{"tables": tables, **fields})  # type: ignore[arg-type]


def engines(now: int, waiting: str | None = None) -> list[StackEvent]:
    """The windows process and the sink."""
    windows = EngineSeen(
        now,
        "windows",
        "Quix Streams",
        "running",
        (
            TaskView("windows of 1m", "running", "emitted · 0 late trades", 24),
            TaskView("windows of 5m", "running", "emitted · 0 late trades", 4),
        ),
        61_190,
        0,
        facts={"duplicates": "0", "poison records": "0"},
    )
    state = "running" if waiting is None else "waiting"
    tasks = (TaskView("binance_trade", state, "rows inserted", 61_120),)
    return [windows, EngineSeen(now, "sink", "built-in", state, tasks, 61_148, 36, waiting, {"dead letters": "0"})]


def inventory(now: int) -> list[StackEvent]:
    """Everything, in good health."""
    return [
        *(groups(now - age, lag=100 - age // 1_000) for age in (55_000, 40_000, 25_000, 10_000)),
        topics(now),
        groups(now),
        registry(now),
        store(now),
        *engines(now),
    ]
