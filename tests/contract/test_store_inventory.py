"""ClickHouse's tables as its own system tables tell them, on a real one."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.inventory import TableView
from pipeline.settings import Settings
from pipeline.store import ddl
from pipeline.store.client import connect
from pipeline.store.inventory import StoreInventory
from tests.contract.clickhouse_server import local_server, some_clickhouse

RECEIVED = 1_800_000_000_000


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with some_clickhouse(tmp_path_factory.mktemp("store")) as settings:
        client = connect(settings)
        client.command("DROP DATABASE IF EXISTS crypto")
        ddl.apply(client, "clickhouse", lambda *_: None)
        client.close()
        yield settings


def test_tables_with_rows_parts_and_the_newest_row(settings: Settings) -> None:
    inventory = StoreInventory(settings)
    empty = inventory.look()
    assert empty.error is None
    assert empty.version
    assert [table.name for table in empty.tables] == [
        "binance_trade",
        "binance_trade_agg_1m",
        "binance_trade_agg_5m",
    ]
    for table in empty.tables:
        assert (table.rows, table.parts, table.newest, table.modified) == (0, 0, None, None), "unknown, not 1970"
        assert table.lag(RECEIVED) is None
    client = connect(settings)
    day = 86_400_000
    for number in range(3):  # a part each, in partitions of their own
        client.command(
            "INSERT INTO crypto.binance_trade (event_type, event_time, symbol, trade_id, price, quantity, trade_time, "
            f"market_maker, ignore, received_time) VALUES ('trade', 1, 'A', {number}, 1, 1, "
            f"{1_700_000_000_000 + number * day}, 0, 0, {RECEIVED + number})"
        )
    client.command(
        "INSERT INTO crypto.binance_trade_agg_1m VALUES ('A', 1700000000000, 1700000060000, 1, 1, 1, 1, 1, 1, 1, 1)"
    )
    client.command("CREATE VIEW crypto.looked AS SELECT 1 AS received_time")
    client.close()
    seen = inventory.look()
    tables = {table.name: table for table in seen.tables}
    trades = tables["binance_trade"]
    assert (trades.rows, trades.parts, trades.newest, trades.lag(RECEIVED + 402)) == (3, 3, RECEIVED + 2, 400)
    assert trades.bytes
    assert trades.modified is not None
    assert abs(trades.modified - time.time() * 1000) < 3_600_000
    minutes = tables["binance_trade_agg_1m"]
    assert (minutes.rows, minutes.newest, minutes.lag(RECEIVED)) == (1, 1_700_000_060_000, None)
    assert tables["looked"] == TableView("looked", "View"), "a view has no rows of its own"
    inventory.close()


def test_a_server_that_went_away_is_told_in_short_and_comes_back(tmp_path: Path) -> None:
    with local_server(tmp_path) as server:
        assert server.start()["event"] == "ready"
        inventory = StoreInventory(server.settings)
        assert (inventory.look().error, inventory.look().tables) == (None, ())
        server.end()
        assert inventory.look().error == "ClickHouse does not answer: Connection refused"
        assert server.start(int(server.url.rpartition(":")[2]))["event"] == "ready"
        assert inventory.look().error is None
        inventory.close()
