"""The history of the windows against a ClickHouse (the local process)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.events import HistoryRead, MinuteIds
from pipeline.model import Window
from pipeline.sink.tables import COLUMNS
from pipeline.store import closed_windows as module
from pipeline.store.client import connect
from pipeline.store.closed_windows import closed_windows, history, minute_ids, read_history
from tests.contract.clickhouse_server import LocalServer, local_server
from tests.contract.test_store import TRADES, applied, insert, trade

START = 1_723_161_300_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with local_server(tmp_path_factory.mktemp("clickhouse")) as server:
        assert server.start()["event"] == "ready"
        yield server


@pytest.fixture
def client(server: LocalServer) -> Iterator[Client]:
    client = connect(server.settings)
    client.command("DROP DATABASE IF EXISTS crypto SYNC")
    applied(client)
    yield client
    client.close()


def window(start: int, symbol: str = "BTCUSDT", size_ms: int = 60_000, trades: int = 7) -> Window:
    return Window(symbol, start, start + size_ms, trades, 1.5, 100.25, 99.5, 101.0, 100.0, 100.5, 100.1 + 0.2)


def store(client: Client, *windows: Window) -> None:
    for one in windows:
        table = f"binance_trade_agg_{one.size}"
        client.insert(table, [[getattr(one, name) for name in COLUMNS[table]]], COLUMNS[table], database="crypto")


def test_the_newest_of_each_symbol_come_back_as_they_were_and_once(client: Client) -> None:
    minutes = [window(START + 60_000 * i, symbol) for i in range(5) for symbol in ("BTCUSDT", "币安人生USDT")]
    five = window(START, size_ms=300_000)
    store(client, *minutes, minutes[-1], five)
    assert sorted(closed_windows(client, "1m"), key=minutes.index) == minutes
    newest = closed_windows(client, "1m", newest=2)
    assert sorted(newest, key=minutes.index) == minutes[-4:]
    read = history(client, 7)
    assert (five in read.windows, len(read.windows), read.time) == (True, 11, 7)
    assert list(read.windows) == sorted(read.windows, key=lambda one: one.window_end)


def test_a_corrected_window_is_the_one_that_was_stored_last(client: Client) -> None:
    store(client, window(START), window(START, trades=8))
    assert [one.trade_count for one in closed_windows(client, "1m")] == [8]


def test_ids_by_minute_of_the_newest_trades(client: Client) -> None:
    trades = [trade(100 + i, START + i * 1_000) for i in range(200)]
    insert(client, trades)
    insert(client, trades[:5])
    insert(client, [trade(9, START, "ETHUSDT")])
    filled = [getattr(trade(50, START), name) for name in COLUMNS[TRADES]]
    filled[COLUMNS[TRADES].index("source")] = "rest"
    client.insert(TRADES, [filled], COLUMNS[TRADES], database="crypto")
    assert minute_ids(client, "BTCUSDT") == [
        MinuteIds("BTCUSDT", START, 100, 159),
        MinuteIds("BTCUSDT", START + 60_000, 160, 219),
        MinuteIds("BTCUSDT", START + 120_000, 220, 279),
        MinuteIds("BTCUSDT", START + 180_000, 280, 299),
    ]
    assert minute_ids(client, "BTCUSDT", newest=30) == [
        MinuteIds("BTCUSDT", START + 120_000, 270, 279),
        MinuteIds("BTCUSDT", START + 180_000, 280, 299),
    ]
    assert minute_ids(client, "'; DROP TABLE t") == []


def test_nothing_stored_is_an_empty_history(client: Client) -> None:
    assert history(client, 7) == HistoryRead((), (), 7)


async def test_a_server_that_is_away_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    with local_server(tmp_path) as server:
        assert server.start()["event"] == "ready"
        settings = server.settings
        with connect(settings) as client:
            applied(client)
            store(client, window(START))
        server.end()
        read: list[HistoryRead] = []
        reading = asyncio.create_task(read_history(settings, read.append))
        port = int(server.url.rpartition(":")[2])
        await asyncio.to_thread(server.start, port)
        await asyncio.wait_for(reading, 60)
        assert [event.windows for event in read] == [(window(START),)]
