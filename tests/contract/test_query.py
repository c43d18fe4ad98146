"""A person's queries against a ClickHouse (the one that CLICKHOUSE_URL names, or the local process)."""

import asyncio
import csv
import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from pipeline.settings import Settings
from pipeline.store import query
from pipeline.store.client import connect
from pipeline.store.ddl import apply
from pipeline.store.query import AwayError, QueryError, ask, cancel, run
from pipeline.store.ready import READY, Ready
from pipeline.store.save import FORMATS, save
from pipeline.store.script import changes_data
from tests.contract.clickhouse_server import some_clickhouse


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with some_clickhouse(tmp_path_factory.mktemp("clickhouse")) as settings:
        client = connect(settings)
        apply(client, "clickhouse", lambda name, state, detail: None)
        client.close()
        yield settings


def name() -> str:
    return uuid.uuid4().hex


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


async def test_values_as_clickhouse_writes_them(settings: Settings) -> None:
    answer = await run(
        settings,
        "SELECT toDateTime64('2024-01-01 00:00:00.123', 3, 'Asia/Tokyo') AS at, [1, 2] AS list, map('a', 1) AS pairs,"
        " CAST(NULL AS Nullable(String)) AS nothing, 'a\\tb\\nc\\\\N' AS text, 1.5 AS number, true AS yes",
        name(),
    )
    assert [column.name for column in answer.table.columns] == [
        "at",
        "list",
        "pairs",
        "nothing",
        "text",
        "number",
        "yes",
    ]
    assert [column.number for column in answer.table.columns] == [False] * 5 + [True, False]
    assert answer.table.row(0) == (
        "2023-12-31T15:00:00.123Z", "[1,2]", "{'a':1}", None, "a\tb\nc\\N", "1.5", "true",
    )  # fmt: skip
    assert answer.elapsed > 0


async def test_more_rows_than_are_kept_are_said(settings: Settings) -> None:
    exact = await run(settings, "SELECT number FROM numbers(50)", name(), rows=50)
    more = await run(settings, "SELECT number FROM numbers(10000000)", name(), rows=50)
    listed = await run(settings, "SHOW TABLES FROM system", name(), rows=3)
    assert (len(exact.table), exact.table.more) == (50, False)
    assert (len(more.table), more.table.more) == (50, True)
    assert (len(listed.table), listed.table.more) == (3, True)
    assert more.table.row(49) == ("49",)
    # The server stopped reading, too.
    assert more.summary.read_rows is not None
    assert more.summary.read_rows < 10_000_000


async def test_the_limit_changes_no_answer(settings: Settings) -> None:
    sql = "SELECT count() FROM numbers(1000) WHERE number IN (SELECT number FROM numbers(500))"
    assert (await run(settings, sql, name(), rows=5)).table.row(0) == ("500",)
    plan = await run(settings, "EXPLAIN SELECT number FROM numbers(10)", name(), rows=77)
    assert "78" not in "".join(plan.table.row(i)[0] or "" for i in range(len(plan.table)))


async def test_no_rows_still_have_columns(settings: Settings) -> None:
    table = (await run(settings, "SELECT symbol, price FROM binance_trade WHERE 0", name())).table
    assert ([column.name for column in table.columns], len(table)) == (["symbol", "price"], 0)


async def test_a_format_of_ones_own_is_shown_as_it_is(settings: Settings) -> None:
    table = (await run(settings, "SELECT number FROM numbers(3) FORMAT JSONEachRow", name())).table
    assert table.columns[0].name == "FORMAT JSONEachRow"
    assert [table.row(i) for i in range(len(table))] == [('{"number":0}',), ('{"number":1}',), ('{"number":2}',)]


@pytest.mark.parametrize(
    ("sql", "code", "title", "words", "position"),
    [
        ("SELECT nope FROM system.one", 47, "UNKNOWN_IDENTIFIER", "nope", None),
        ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE", "nowhere", None),
        ("SELECT 1 +", 62, "SYNTAX_ERROR", "Syntax error", 11),
        ("SELECT 'abc", 62, "SYNTAX_ERROR", "Syntax error", 8),
        ("SELECT throwIf(number = 3) FROM numbers(5)", 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", "throwIf", None),
    ],
)
async def test_errors_in_clickhouses_words(
    settings: Settings, sql: str, code: int, title: str, words: str, position: int | None
) -> None:
    with pytest.raises(QueryError, match=words) as raised:
        await run(settings, sql, name())
    assert (raised.value.code, raised.value.name, raised.value.position) == (code, title, position)
    assert "DB::Exception" not in str(raised.value)
    assert "(version" not in str(raised.value)


async def test_a_result_that_would_take_all_memory_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "RESULT_BYTES", 1_000_000)
    with pytest.raises(QueryError, match="Limit for result exceeded") as raised:
        await run(settings, "SELECT repeat('x', 100000) FROM numbers(1000)", name())
    assert raised.value.name == "TOO_MANY_ROWS_OR_BYTES"


async def test_what_changes_data_is_refused_by_the_server_until_confirmed(settings: Settings) -> None:
    create = "CREATE TABLE crypto.mine (a Int64) ENGINE = MergeTree ORDER BY a"
    insert = "INSERT INTO crypto.mine SELECT number FROM numbers(200000)"
    for sql in (create, insert):
        assert changes_data(sql)
        with pytest.raises(QueryError) as raised:
            await run(settings, sql, name())
        assert raised.value.name in ("READONLY", "UNKNOWN_TABLE")
        assert raised.value.refuses_change is (raised.value.name == "READONLY")
        done = await run(settings, sql, name(), confirmed=True)
        assert len(done.table) == 0
    assert done.summary.written_rows == 200_000
    assert (await run(settings, "SELECT count() FROM mine", name())).table.row(0) == ("200000",)
    with pytest.raises(QueryError, match="readonly") as raised:
        await run(settings, "SELECT 1 SETTINGS readonly = 0", name())
    assert not raised.value.refuses_change
    await run(settings, "DROP TABLE mine", name(), confirmed=True)


async def test_several_statements_are_not_run(settings: Settings) -> None:
    with pytest.raises(QueryError, match="several statements"):
        await run(settings, "SELECT 1; SELECT 2", name())
    with pytest.raises(QueryError, match="no statement"):
        await run(settings, "-- nothing", name())


async def test_a_running_query_is_killed(settings: Settings) -> None:
    running_id = name()
    running = asyncio.create_task(
        run(settings, "SELECT sum(sleepEachRow(0.5)) FROM numbers(200) SETTINGS max_block_size = 1", running_id)
    )
    assert await cancel(settings, running_id)
    with pytest.raises(QueryError) as raised:
        await running
    assert raised.value.name == "QUERY_WAS_CANCELLED"


async def test_a_server_that_is_away() -> None:
    away = Settings.load({"clickhouse_url": "http://secret:canary@127.0.0.1:1"}, env_file=None)
    with pytest.raises(AwayError, match=r"http://127\.0\.0\.1:1") as raised:
        await run(away, "SELECT 1", name())
    assert "canary" not in str(raised.value)
    with pytest.raises(AwayError, match="not known"):
        async with ask(Settings.load({}, env_file=None), "SELECT 1", {}):
            pass


async def test_a_whole_result_in_every_format(settings: Settings, tmp_path: Path) -> None:
    sql = "SELECT number AS id, concat('a\"b,', toString(number)) AS text, fromUnixTimestamp64Milli(1723118671342) AS at FROM numbers(150000)"  # noqa: E501
    read: dict[str, list[tuple[int, str]]] = {}
    for ending in FORMATS:
        saved = await save(settings, sql, ending, tmp_path / "exports" / f"all.{ending}", name())
        assert saved.rows == 150_000
        assert saved.path.stat().st_size == saved.size
        assert saved.path.stat().st_mode & 0o077 == 0
    text = (tmp_path / "exports" / "all.csv").read_text()
    head, *lines = csv.reader(io.StringIO(text))
    assert head == ["id", "text", "at"]
    assert lines[0][2] == "2024-08-08T12:04:31.342Z"
    read["csv"] = [(int(line[0]), line[1]) for line in lines]
    objects = [json.loads(line) for line in (tmp_path / "exports" / "all.jsonl").read_text().splitlines()]
    read["jsonl"] = [(int(one["id"]), one["text"]) for one in objects]
    table = pyarrow.parquet.read_table(tmp_path / "exports" / "all.parquet")
    assert table.column_names == ["id", "text", "at"]
    texts = [text.decode() if isinstance(text, bytes) else text for text in table["text"].to_pylist()]
    read["parquet"] = list(zip(table["id"].to_pylist(), texts, strict=True))
    wanted = [(number, f'a"b,{number}') for number in range(150_000)]
    assert {ending: sorted(rows) == wanted for ending, rows in read.items()} == dict.fromkeys(FORMATS, True)
    assert files(tmp_path / "exports") == ["all.csv", "all.jsonl", "all.parquet"]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT throwIf(number = 140000) FROM numbers(150000)", "throwIf"),
        ("SELECT 1 FORMAT JSON", "FORMAT JSON"),
        ("INSERT INTO binance_trade SELECT * FROM binance_trade", "no rows"),
        ("SELECT 1; SELECT 2", "several"),
    ],
)
async def test_an_export_that_fails_leaves_nothing(settings: Settings, tmp_path: Path, sql: str, words: str) -> None:
    for ending in FORMATS:
        with pytest.raises(QueryError, match=words):
            await save(settings, sql, ending, tmp_path / "exports" / f"all.{ending}", name())
    assert files(tmp_path / "exports") == []


async def test_an_export_that_is_cancelled_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    sql = "SELECT sleepEachRow(0.5) FROM numbers(200) SETTINGS max_block_size = 1"
    running_id = name()
    running = asyncio.create_task(save(settings, sql, "jsonl", tmp_path / "all.jsonl", running_id))
    assert await cancel(settings, running_id)
    with pytest.raises(QueryError):
        await running
    assert files(tmp_path) == []


@pytest.mark.parametrize("ready", READY, ids=[ready.name for ready in READY])
async def test_every_ready_made_query_runs_on_the_tables(settings: Settings, ready: Ready) -> None:
    assert not changes_data(ready.sql)
    answer = await run(settings, ready.sql, name())
    assert answer.table.columns
