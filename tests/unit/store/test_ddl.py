"""The DDL files, and what each statement makes."""

from pathlib import Path

import pytest

from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS
from pipeline.schemas.subjects import load_schema
from pipeline.sink.tables import COLUMNS
from pipeline.store.ddl import DdlStatement, ddl_files, describe, read_statements
from pipeline.store.sql import tokens


def test_the_files_are_found_in_order() -> None:
    names = [path.name for path in ddl_files("clickhouse")]
    assert names == sorted(names)
    assert names[0] == "001_database.sql"


def test_a_broken_installation_is_said() -> None:
    with pytest.raises(FileNotFoundError, match="reinstall"):
        ddl_files("nothing")


def test_every_statement_is_idempotent_and_known_by_what_it_makes() -> None:
    statements = read_statements(ddl_files("clickhouse"))
    made = ["crypto", *(f"crypto.{table}" for table in (TRADE_TOPIC, *WINDOW_TOPICS.values()))]
    assert [statement.target for statement in statements] == made
    assert all("IF NOT EXISTS" in statement.sql for statement in statements)
    assert statements[0].name == "database crypto"
    assert statements[1].name == "table crypto.binance_trade"


@pytest.mark.parametrize("table", [TRADE_TOPIC, *WINDOW_TOPICS.values()])
def test_columns_are_the_avro_fields_in_their_order(table: str) -> None:
    (statement,) = (one for one in read_statements(ddl_files("clickhouse")) if one.target == f"crypto.{table}")
    found: list[str] = []
    aliases: list[str] = []
    previous = ""
    for token in tokens(statement.sql.encode()):
        text = token.text.decode()
        if token.depth == 1 and previous in ("(", ","):
            found.append(text)
        if token.word == "ALIAS":
            aliases.append(found.pop())
        previous = text if token.depth <= 1 else ""
        if token.word == "ENGINE":
            break
    schema = load_schema("binance_trade" if table == TRADE_TOPIC else "binance_trade_agg")
    assert found == [field["name"] for field in schema["fields"]] == list(COLUMNS[table])
    assert all(alias.endswith("_dt") for alias in aliases)
    assert len(aliases) == (3 if table == TRADE_TOPIC else 2)


@pytest.mark.parametrize(
    ("sql", "kind", "target"),
    [
        ("CREATE DATABASE crypto", "database", "crypto"),
        ('create table if not exists `a`."b" (x Int8)', "table", "a.b"),
        ("CREATE TABLE t (x Int8)", "table", "t"),
        ("ALTER TABLE t ADD COLUMN y Int8", "", ""),
    ],
)
def test_describe(sql: str, kind: str, target: str) -> None:
    assert describe("f.sql", sql) == DdlStatement("f.sql", sql, kind, target)


def test_a_statement_that_makes_nothing_is_called_by_its_words() -> None:
    assert describe("f.sql", "ALTER TABLE t\nADD COLUMN y Int8").name == "f.sql: ALTER TABLE t ADD"


def test_statements_of_a_file_keep_their_order(tmp_path: Path) -> None:
    file = tmp_path / "1.sql"
    file.write_text("-- c\nCREATE TABLE a (x Int8); ALTER TABLE a ADD COLUMN y Int8;")
    assert [one.sql[:7] for one in read_statements([file])] == ["CREATE ", "ALTER T"]
