"""ClickHouse's HTTP interface as its users use it: clickhouse-connect and plain requests, as curl makes them.

Runs against the ClickHouse that CLICKHOUSE_URL names, else against the local process: both must pass it unchanged. What
only the local process promises is marked by the ``local`` fixture.
"""

import gzip
import json
import signal
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import lz4.frame
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from pipeline.settings import Settings
from pipeline.store.client import connect
from tests.contract.clickhouse_server import LocalServer, local_server, some_clickhouse

DATABASE = "cryptostreamx_contract"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with some_clickhouse(tmp_path_factory.mktemp("clickhouse")) as settings:
        yield settings


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    client = connect(settings)
    client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    client.command(f"DROP TABLE IF EXISTS {DATABASE}.t SYNC")
    client.command(
        f"CREATE TABLE {DATABASE}.t (id Int64, symbol LowCardinality(String), price Float64, maker Bool,"
        " CONSTRAINT positive CHECK price > 0) ENGINE = MergeTree ORDER BY id"
    )
    yield client
    client.close()


@pytest.fixture
def http(settings: Settings) -> Iterator[httpx.Client]:
    password = settings.clickhouse_password.get_secret_value() if settings.clickhouse_password else ""
    with httpx.Client(base_url=settings.clickhouse_url or "", auth=(settings.clickhouse_username, password)) as http:
        yield http


def rows(client: Client) -> int:
    return int(client.query(f"SELECT count() FROM {DATABASE}.t").result_rows[0][0])


# ---------------------------------------------------------------- clickhouse-connect


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_native_inserts_and_queries_in_every_coding(settings: Settings, client: Client, compress: str | bool) -> None:
    host, port = (settings.clickhouse_url or "").split("//")[1].split(":")
    with clickhouse_connect.get_client(host=host, port=int(port), compress=compress) as coded:
        by_row = [[1, "BTCUSDT", 1.5, True], [2, "币安人生USDT", 2.5, False]]
        summary = coded.insert(f"{DATABASE}.t", by_row, column_names=["id", "symbol", "price", "maker"])
        assert summary.written_rows == 2
        size = 30_000
        columns: list[list[Any]] = [list(range(10, size + 10)), ["ETHUSDT"] * size, [2570.0] * size, [True] * size]
        coded.insert(f"{DATABASE}.t", columns, column_names=["id", "symbol", "price", "maker"], column_oriented=True)
        result = coded.query(f"SELECT * FROM {DATABASE}.t ORDER BY id")
        assert [list(row) for row in result.result_rows[:2]] == by_row
        assert result.row_count == size + 2
        assert result.column_names == ("id", "symbol", "price", "maker")


def test_parameters_are_values_never_sql(client: Client) -> None:
    hostile = "it's; DROP TABLE t -- \\ \t\n\"`币\u202e"
    row = client.query(
        "SELECT {s:String}, {n:Int64}, {a:Array(Int64)}, {d:Nullable(String)}",
        parameters={"s": hostile, "n": -5, "a": [1, 2], "d": None},
    ).result_rows[0]
    assert row == (hostile, -5, [1, 2], None)
    long = "x" * 50_000  # too long for a URL: goes as a form
    assert client.query("SELECT length({s:String})", parameters={"s": long}).result_rows == [(50_000,)]


def test_settings_hold_for_their_query_only(client: Client) -> None:
    setting = "SELECT toUInt64(getSetting('max_block_size'))"
    before = client.query(setting).result_rows
    assert client.query(setting, settings={"max_block_size": 777}).result_rows == [(777,)]
    assert client.query(setting).result_rows == before
    with pytest.raises(DatabaseError) as caught:
        client.query("SELECT sleepEachRow(1) FROM numbers(3)", settings={"max_execution_time": 1})
    assert caught.value.name == "TIMEOUT_EXCEEDED"


def test_commands_raw_queries_and_raw_inserts(client: Client) -> None:
    assert client.command("SELECT 1") == 1
    assert client.command(f"SELECT id FROM {DATABASE}.t") == ""
    assert client.raw_query("SELECT 1 AS x, 'a' AS y", fmt="JSONEachRow") == b'{"x":1,"y":"a"}\n'
    client.raw_insert(f"{DATABASE}.t", ["id", "symbol", "price", "maker"], b'1,"a",1.5,true\n2,b,2,false', fmt="CSV")
    packed = gzip.compress(b'{"id":3,"symbol":"c","price":1}\n')
    client.raw_insert(f"{DATABASE}.t", insert_block=packed, fmt="JSONEachRow", compression="gzip")
    client.command(f"INSERT INTO {DATABASE}.t VALUES (4, 'd;\n\ne', 1, true), (5, 'f', 1 + 1, false)")
    found = client.query(f"SELECT id, symbol, price FROM {DATABASE}.t ORDER BY id").result_rows
    assert found == [(1, "a", 1.5), (2, "b", 2.0), (3, "c", 1.0), (4, "d;\n\ne", 1.0), (5, "f", 2.0)]
    client.command(f"INSERT INTO {DATABASE}.t SELECT number + 100, 'n', 1, true FROM numbers(5)")
    assert rows(client) == 10
    assert client.ping()


@pytest.mark.parametrize(
    ("sql", "code", "name"),
    [
        ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"),
        ("SELECT * FROM nowhere.t", 81, "UNKNOWN_DATABASE"),
        ("SELECT (1", 62, "SYNTAX_ERROR"),
        ("SELECT throwIf(1)", 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT toInt8('x')", 6, "CANNOT_PARSE_TEXT"),
        ("SELECT {missing:Int8}", 456, "UNKNOWN_QUERY_PARAMETER"),
        ("SELECT 1 SETTINGS nonsense = 1", 115, "UNKNOWN_SETTING"),
    ],
)
def test_errors_have_clickhouses_code_and_name(client: Client, sql: str, code: int, name: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        client.query(sql)
    assert (caught.value.code, caught.value.name) == (code, name)


def test_a_refused_insert_is_an_error_and_leaves_nothing(client: Client) -> None:
    columns: list[list[Any]] = [[1, 2, 3], ["a", "b", "c"], [1.0, -1.0, 1.0], [True] * 3]
    with pytest.raises(DatabaseError) as caught:
        client.insert(f"{DATABASE}.t", columns, column_names=["id", "symbol", "price", "maker"], column_oriented=True)
    assert (caught.value.code, caught.value.name) == (469, "VIOLATED_CONSTRAINT")
    assert rows(client) == 0


def test_large_results_stream_and_an_error_half_way_is_seen(client: Client) -> None:
    with client.query_rows_stream("SELECT number FROM numbers(1000000)") as stream:
        assert sum(number for (number,) in stream) == 499_999_500_000
    failing = "SELECT throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_block_size = 1000, max_threads = 1"
    with pytest.raises(StreamFailureError, match="Code: 395"), client.query_rows_stream(failing) as stream:
        assert len(list(stream)) < 0


def test_a_session_keeps_its_temporary_tables(settings: Settings) -> None:
    host, port = (settings.clickhouse_url or "").split("//")[1].split(":")
    with clickhouse_connect.get_client(host=host, port=int(port), session_id=f"s{time.time_ns()}") as session:
        session.command("CREATE TEMPORARY TABLE mine (x Int8)")
        session.command("INSERT INTO mine VALUES (7)")
        session.query("SELECT 1", settings={"max_block_size": 777})
        assert session.command("SELECT getSetting('max_block_size')") != 777
        assert session.command("SELECT x FROM mine") == 7
    with connect(settings) as other, pytest.raises(DatabaseError):
        other.query("SELECT x FROM mine")


# ---------------------------------------------------------------- plain HTTP


def test_ping_root_and_unknown_paths(http: httpx.Client) -> None:
    assert (http.get("/ping").status_code, http.get("/ping").text) == (200, "Ok.\n")
    assert http.head("/ping").status_code == 200
    assert http.get("/").text == "Ok.\n"
    assert http.get("/nothing").status_code == 404


def test_the_query_may_stand_in_the_url_or_in_the_body_or_in_both(http: httpx.Client, client: Client) -> None:
    assert http.get("/", params={"query": "SELECT 1"}).text == "1\n"
    assert http.post("/", content="SELECT 2").text == "2\n"
    assert http.post("/", params={"query": "SELECT 1,"}, content="2 FORMAT CSV").text == "1,2\n"
    insert = {"query": f"INSERT INTO {DATABASE}.t FORMAT JSONEachRow"}
    assert http.post("/", params=insert, content='{"id": 1, "price": 1}').status_code == 200
    inserted = http.post("/", content=f"INSERT INTO {DATABASE}.t FORMAT TSV\n2\ta\t1\ttrue\n3\tb\t1\tfalse\n")
    assert json.loads(inserted.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert rows(client) == 3


def test_a_get_reads_only(http: httpx.Client) -> None:
    for sql in (f"CREATE TABLE {DATABASE}.no (a Int8) ENGINE = Memory", f"INSERT INTO {DATABASE}.t VALUES (1)"):
        response = http.get("/", params={"query": sql})
        assert response.headers["X-ClickHouse-Exception-Code"] == "164"
        assert response.status_code == 500
        assert "(READONLY)" in response.text


def test_headers_of_an_answer(http: httpx.Client) -> None:
    response = http.post("/", params={"query_id": "my-query", "wait_end_of_query": "1"}, content="SELECT 1 FORMAT JSON")
    assert response.headers["X-ClickHouse-Format"] == "JSON"
    assert response.headers["X-ClickHouse-Query-Id"] == "my-query"
    assert response.headers["X-ClickHouse-Timezone"]
    assert response.headers["X-ClickHouse-Server-Display-Name"]
    assert json.loads(response.headers["X-ClickHouse-Summary"])["result_rows"] == "1"
    assert response.headers["Content-Type"].lower() == "application/json; charset=utf-8"
    assert response.json()["data"] == [{"1": 1}]


def test_formats_and_databases_come_from_headers_too(http: httpx.Client, client: Client) -> None:
    headers = {"X-ClickHouse-Format": "CSV", "X-ClickHouse-Database": DATABASE}
    assert http.post("/", content="SELECT currentDatabase(), 1", headers=headers).text == f'"{DATABASE}",1\n'
    params = {"database": DATABASE, "default_format": "JSONEachRow", "query": "SELECT currentDatabase() AS d"}
    assert http.get("/", params=params).json() == {"d": DATABASE}
    assert http.get("/", params={"query": "SELECT 1", "database": "nowhere"}).status_code == 404


def test_parameters_and_settings_in_the_url(http: httpx.Client) -> None:
    params = {"param_s": "a\\tb", "query": "SELECT {s:String} FORMAT RowBinary"}
    assert http.get("/", params=params).content == b"\x03a\tb"
    params = {"max_block_size": "777", "query": "SELECT getSetting('max_block_size')"}
    assert http.get("/", params=params).text == "777\n"
    assert http.get("/", params={"nonsense": "1", "query": "SELECT 1"}).status_code == 404


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT 1 +", 400, 62), ("SELECT * FROM nowhere", 404, 60), ("SELECT * FROM nowhere.t", 404, 81),
        ("SELECT f()", 404, 46), ("SELECT 1 FORMAT Nothing", 404, 73), ("SELECT throwIf(1)", 500, 395), ("", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62), ("SELECT 'open", 400, 62), ("SELECT 1 INTO OUTFILE 'x'", 500, 358),
    ],
)  # fmt: skip
def test_statuses_and_bodies_of_errors(http: httpx.Client, sql: str, status: int, code: int) -> None:
    response = http.post("/", content=sql)
    assert response.status_code == status
    assert response.headers["X-ClickHouse-Exception-Code"] == str(code)
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "lz4", "zstd"])
def test_answers_are_compressed_only_when_asked(http: httpx.Client, coding: str) -> None:
    sql = "SELECT number FROM numbers(100000)"
    wanted = {"Accept-Encoding": coding}
    with http.stream("POST", "/", content=sql, headers=wanted) as response:
        assert "Content-Encoding" not in response.headers
    with http.stream("POST", "/", params={"enable_http_compression": "1"}, content=sql, headers=wanted) as response:
        assert response.headers["Content-Encoding"] == coding
        coded = b"".join(response.iter_raw())
    if coding in ("gzip", "deflate"):
        plain = zlib.decompressobj(47).decompress(coded)
    elif coding == "lz4":
        plain = lz4.frame.decompress(coded)
    else:
        return  # httpx has no zstd here; clickhouse-connect reads it above
    assert plain.endswith(b"\n99999\n")


def test_coded_bodies_and_broken_ones(http: httpx.Client) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert http.post("/", content=gzip.compress(b"SELECT 3"), headers=headers).text == "3\n"
    assert http.post("/", content=b"SELECT 3, and no gzip", headers=headers).status_code >= 400


def test_data_with_blank_lines_and_quotes_arrive_whole(http: httpx.Client, client: Client) -> None:
    data = "".join(f'{n},"a\n\n;\'{n}",1,true\n' for n in range(1000))
    response = http.post("/", params={"query": f"INSERT INTO {DATABASE}.t FORMAT CSV"}, content=data)
    assert response.status_code == 200
    assert rows(client) == 1000
    assert client.command(f"SELECT count() FROM {DATABASE}.t WHERE symbol = concat('a\n\n;\\'', toString(id))") == 1000


def test_a_client_that_goes_away_ends_its_query(http: httpx.Client, client: Client) -> None:
    sql = "SELECT number, sleepEachRow(0.001) FROM system.numbers SETTINGS max_block_size = 100 FORMAT TSV -- endless"
    with http.stream("POST", "/", content=sql, timeout=30) as response:
        assert response.status_code == 200
        next(response.iter_raw())
    left = "SELECT count() FROM system.processes WHERE query LIKE '%-- endless%' AND query NOT LIKE '%processes%'"
    end = time.monotonic() + 20
    while client.command(left) != 0:
        assert time.monotonic() < end
        time.sleep(0.1)


# ---------------------------------------------------------------- the local process alone


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalServer]:
    with local_server(tmp_path) as server:
        yield server


def test_an_acknowledged_insert_survives_kill_9(local: LocalServer) -> None:
    assert local.start()["event"] == "ready"
    with connect(local.settings) as client:
        client.command("CREATE TABLE default.t (id Int64) ENGINE = MergeTree ORDER BY id")
        for part in range(5):
            client.insert("default.t", [list(range(part * 1000, part * 1000 + 1000))], ["id"], column_oriented=True)
    local.end(signal.SIGKILL)
    assert local.start()["event"] == "ready"
    with connect(local.settings) as client:
        assert client.query("SELECT count(), uniqExact(id) FROM default.t").result_rows == [(5000, 5000)]
    assert local.end(signal.SIGTERM) == 0


def test_a_second_process_on_the_folder_says_why_it_cannot(local: LocalServer) -> None:
    assert local.start()["event"] == "ready"
    with local_server(local.home) as second:
        event = second.start()
        assert event["event"] == "failed"
        assert f"is open in another process (pid {local.process.pid if local.process else 0})" in event["reason"]
        assert "Code: 36" in event["reason"]
        assert second.process is not None
        assert second.process.wait(20) != 0


def test_it_ends_with_its_parent_and_lets_queries_finish(local: LocalServer) -> None:
    assert local.start()["event"] == "ready"
    with httpx.Client(base_url=local.url) as http, http.stream("POST", "/", content="SELECT sleep(1)") as response:
        assert local.process is not None
        assert local.process.stdin is not None
        local.process.stdin.close()
        assert response.read() == b"0\n"
    assert local.process.wait(20) == 0
    assert "stopped" in (local.home / "logs" / "clickhouse.log").read_text()


def test_a_query_that_takes_too_long_is_cancelled_when_it_stops(local: LocalServer) -> None:
    assert local.start()["event"] == "ready"
    sql = "SELECT sleepEachRow(0.5) FROM numbers(200) SETTINGS max_block_size = 1 FORMAT JSON"
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(httpx.post(local.url, content=sql, timeout=60).status_code))
    asking.start()
    with connect(local.settings) as client:
        while client.command("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'") == 0:
            time.sleep(0.05)
    assert local.end(signal.SIGTERM) == 0
    asking.join(20)
    assert answers == [500]


def test_a_configured_password_is_asked_for_and_never_logged(tmp_path: Path) -> None:
    with local_server(tmp_path, CLICKHOUSE_PASSWORD="canary-secret") as server:
        assert server.start()["event"] == "ready"
        refused = httpx.post(server.url, content="SELECT 1", auth=("default", "wrong-canary"))
        assert (refused.status_code, refused.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
        assert httpx.post(server.url, content="SELECT 1", auth=("default", "canary-secret")).text == "1\n"
        keys = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": "canary-secret"}
        assert httpx.post(server.url, content="SELECT 1", headers=keys).text == "1\n"
        assert server.end() == 0
    assert "canary" not in (tmp_path / "logs" / "clickhouse.log").read_text()
