"""One trade, one window, four notations: the Avro schemas, the model, ClickHouse's tables and ksqlDB's DDL agree."""

import re
from typing import Any

import msgspec
import pytest

from pipeline.model import WINDOW_TOPICS, Trade, Window
from pipeline.schemas.subjects import load_schema
from pipeline.store.ddl import ddl_files

CLICKHOUSE = {
    "string": {"String", "LowCardinality(String)"},
    "long": {"Int64"},
    "double": {"Float64"},
    "boolean": {"Bool"},
    "enum": {"String", "LowCardinality(String)"},
}
KSQL = {"string": "VARCHAR", "long": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN", "enum": "VARCHAR"}


def fields(schema: dict[str, Any]) -> dict[str, str]:
    """Name → Avro type."""
    kinds = {field["name"]: field["type"] for field in schema["fields"]}
    return {name: kind["type"] if isinstance(kind, dict) else kind for name, kind in kinds.items()}


def text(kind: str, part: str) -> str:
    (path,) = (path for path in ddl_files(kind) if part in path.name)
    return re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("schema", "model"), [("binance_trade", Trade), ("binance_trade_agg", Window)])
def test_schema_and_model(schema: str, model: type[msgspec.Struct]) -> None:
    assert list(fields(load_schema(schema))) == [field.name for field in msgspec.structs.fields(model)]


@pytest.mark.parametrize(
    ("table", "schema"),
    [
        ("binance_trade.sql", "binance_trade"),
        *((f"{topic}.sql", "binance_trade_agg") for topic in WINDOW_TOPICS.values()),
    ],
)
def test_schema_and_table(table: str, schema: str) -> None:
    sql = text("clickhouse", table)
    columns = re.findall(r"^    (\w+) (LowCardinality\(String\)|\w+)(?=[ ,\n])(?!.*\bALIAS\b)", sql, re.MULTILINE)
    expected = fields(load_schema(schema))
    assert [name for name, _ in columns] == list(expected)
    assert all(kind in CLICKHOUSE[expected[name]] for name, kind in columns)


def test_schema_and_stream() -> None:
    sql = text("ksql", "raw")
    columns = dict(re.findall(r"^\s+`(\w+)` (\w+)(?:,|$)", sql, re.MULTILINE))
    assert columns == {name: KSQL[kind] for name, kind in fields(load_schema("binance_trade")).items()}


@pytest.mark.parametrize("topic", WINDOW_TOPICS.values())
def test_schema_and_query(topic: str) -> None:
    sql = text("ksql", topic)
    assert f"KAFKA_TOPIC = '{topic}'" in sql
    assert re.findall(r"AS `(\w+)`", sql) == list(fields(load_schema("binance_trade_agg")))
