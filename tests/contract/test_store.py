"""DDL and audits against a ClickHouse (the local process)."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.events import StepState
from pipeline.model import Trade
from pipeline.sink.tables import COLUMNS
from pipeline.store.audit import check_windows, stored_trades
from pipeline.store.client import connect
from pipeline.store.ddl import apply
from tests.contract.clickhouse_server import local_server

TRADES, WINDOWS = "binance_trade", "binance_trade_agg_1m"


@pytest.fixture(scope="module")
def server_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with local_server(tmp_path_factory.mktemp("clickhouse")) as server:
        assert server.start()["event"] == "ready"
        client = connect(server.settings)
        yield client
        client.close()


@pytest.fixture
def client(server_client: Client) -> Client:
    server_client.command("DROP DATABASE IF EXISTS crypto SYNC")
    applied(server_client)
    return server_client


def applied(client: Client) -> dict[str, tuple[StepState, str]]:
    lines: dict[str, tuple[StepState, str]] = {}
    apply(client, "clickhouse", lambda name, state, detail: lines.update({name: (state, detail)}))
    return lines


def insert(client: Client, trades: list[Trade]) -> None:
    columns = COLUMNS[TRADES]
    rows = [[getattr(trade, name) for name in columns] for trade in trades]
    client.insert(TRADES, rows, columns, database="crypto")


def trade(number: int, event_time: int, symbol: str = "BTCUSDT", price: float = 100.0) -> Trade:
    return Trade("trade", event_time, symbol, number, price, 2.0, event_time, True, True, event_time)


def test_what_is_missing_is_made_and_what_is_there_exists(server_client: Client) -> None:
    server_client.command("DROP DATABASE IF EXISTS crypto SYNC")
    first, second = applied(server_client), applied(server_client)
    assert {state for state, _ in first.values()} == {StepState.DONE}
    assert {state for state, _ in second.values()} == {StepState.EXISTS}
    assert list(first) == list(second)
    assert len(first) == 4
    tables = server_client.query("SELECT name FROM system.tables WHERE database = 'crypto' ORDER BY name").result_rows
    assert [name for (name,) in tables] == [TRADES, WINDOWS, "binance_trade_agg_5m"]


def test_a_different_table_is_left_and_told_with_both_sides(client: Client) -> None:
    client.command(f"DROP TABLE crypto.{TRADES} SYNC")
    client.command(
        f"CREATE TABLE crypto.{TRADES} (event_type String, price Float32, extra Int8) ENGINE = MergeTree ORDER BY price"
    )
    state, detail = applied(client)[f"table crypto.{TRADES}"]
    assert state is StepState.DIFFERENT
    for words in (
        "column price: the file says Float64, the table has Float32",
        "column extra: the file says nothing, the table has Int8",
        "column symbol: the file says LowCardinality(String), the table has nothing",
        "engine: the file says ReplacingMergeTree, the table has MergeTree",
        "sorting key: the file says symbol, trade_id, the table has price",
    ):
        assert words in detail
    assert client.command(f"EXISTS crypto.{TRADES}") == 1
    assert client.query(f"SELECT count() FROM system.columns WHERE table = '{TRADES}'").result_rows == [(3,)]


def test_a_failure_is_told_in_the_servers_words_and_stops_no_other(client: Client) -> None:
    client.command(f"DROP TABLE crypto.{TRADES} SYNC")
    client.command(f"CREATE VIEW crypto.{TRADES} AS SELECT 1 AS x")
    lines = applied(client)
    assert lines[f"table crypto.{TRADES}"][0] in (StepState.DIFFERENT, StepState.FAILED)
    assert lines[f"table crypto.{WINDOWS}"][0] is StepState.EXISTS


def test_times_keep_their_milliseconds_and_a_repeated_trade_is_one_row(client: Client) -> None:
    one = trade(1, 1_723_161_250_123)
    insert(client, [one])
    insert(client, [one])
    rows = client.query(
        f"SELECT toString(trade_time_dt), toString(event_time_dt), source FROM crypto.{TRADES} FINAL"
    ).result_rows
    assert rows == [("2024-08-08 23:54:10.123", "2024-08-08 23:54:10.123", "ws")]
    days = client.query("SELECT DISTINCT partition FROM system.parts WHERE database = 'crypto' AND active").result_rows
    assert days == [("2024-08-08",)]


def test_stored_trades_counts_distinct_ids_within_ranges(client: Client) -> None:
    insert(client, [trade(n, 1_000_000 + n) for n in range(100)])
    insert(client, [trade(n, 1_000_000 + n) for n in range(50)])
    insert(client, [trade(n, 1_000_000 + n, "ETHUSDT") for n in range(10)])
    assert stored_trades(client, {"BTCUSDT": [(0, 99)], "ETHUSDT": [(0, 99)]}) == 110
    assert stored_trades(client, {"BTCUSDT": [(0, 4), (90, 200)]}) == 15
    assert stored_trades(client, {"x'; DROP TABLE t": [(0, 99)]}) == 0
    assert stored_trades(client, {}) == 0


def test_windows_are_compared_with_the_raw_trades(client: Client) -> None:
    start = 1_723_161_240_000
    insert(client, [trade(1, start, price=10.0), trade(2, start + 59_999, price=20.0), trade(3, start + 69_999)])
    assert check_windows(client, "1m").due == 0
    insert(client, [trade(4, start + 70_000)])
    check = check_windows(client, "1m")
    assert (check.due, check.closed) == (1, 0)
    assert check.differences == (f"1m window {start} of BTCUSDT is due and not stored",)
    columns = COLUMNS[WINDOWS]
    right: list[Any] = ["BTCUSDT", start, start + 60_000, 2, 4.0, 15.0, 10.0, 20.0, 10.0, 20.0, 15.0]
    client.insert(WINDOWS, [right, right], columns, database="crypto")
    check = check_windows(client, "1m")
    assert (check.due, check.closed, check.differences) == (1, 1, ())
    client.insert(WINDOWS, [[*right[:3], 3, *right[4:]]], columns, database="crypto")
    client.insert(WINDOWS, [["ETHUSDT", *right[1:]]], columns, database="crypto")
    assert sorted(check_windows(client, "1m").differences) == [
        f"1m window {start} of BTCUSDT: trade_count is 3, the trades give 2",
        f"1m window {start} of ETHUSDT is stored, but the stored trades do not close it",
    ]


def test_the_recordings_windows_agree_with_the_audit(client: Client, recorded: Path) -> None:
    trades = []
    with gzip.open(recorded / "trades.frames.gz", "rt") as lines:
        for line in lines:
            frame = json.loads(line.partition(" ")[2])
            d = frame["data"]
            trades.append(
                Trade("trade", d["E"], d["s"], d["t"], float(d["p"]), float(d["q"]), d["T"], d["m"], d["M"], d["E"])
            )
    insert(client, trades)
    expected = json.loads((recorded / "windows.json").read_text())
    for size in ("1m", "5m"):
        closed = [window for window in expected[size] if window["closed"]]
        columns = COLUMNS[f"binance_trade_agg_{size}"]
        rows = [[window[name] for name in columns] for window in closed]
        client.insert(f"binance_trade_agg_{size}", rows, columns, database="crypto")
        check = check_windows(client, size)
        assert check.differences == ()
        assert check.due == check.closed == len(closed) > 0
