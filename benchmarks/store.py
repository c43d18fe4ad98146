"""What the store costs: rows a second by batch size, the HTTP interface against the engine alone, memory, latency.

``python -m benchmarks.store``. Ratios hold from machine to machine; absolute figures do not.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from clickhouse_connect.driver.client import Client

from pipeline.model import TRADE_TOPIC, Trade
from pipeline.sink.batch import Record, Row
from pipeline.sink.tables import COLUMNS, Inserter
from pipeline.store.client import connect
from pipeline.store.ddl import apply
from tests.contract.clickhouse_server import local_server

ROWS = 1_000_000


def trades(first: int, count: int) -> list[Row]:
    record = Record(TRADE_TOPIC, 0, 0, None, None)
    return [
        Row(record, tuple(getattr(trade, name) for name in COLUMNS[TRADE_TOPIC]))
        for n in range(first, first + count)
        for trade in [Trade("trade", 1_723_161_240_000 + n, "BTCUSDT", n, 61_837.63 + n, 0.25, n, True, True, n)]
    ]


def rate(count: int, action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return count / (time.perf_counter() - started)


def sizes(inserter: Inserter) -> None:
    for size in (1, 100, 1_000, 10_000):
        rows = trades(0, size)
        repeats = max(5, min(50, 50_000 // size))

        def insert(rows: list[Row] = rows, repeats: int = repeats) -> None:
            for _ in range(repeats):
                inserter(TRADE_TOPIC, rows)

        print(f"insert of {size:>6} rows over HTTP: {rate(size * repeats, insert):>10,.0f} rows/s")


def engine_alone(client: Client) -> None:
    sql = f"INSERT INTO crypto.{TRADE_TOPIC} SELECT * FROM crypto.{TRADE_TOPIC} WHERE trade_id < 10000 LIMIT 10000"
    print(f"the engine alone, 10,000 rows copied:  {rate(100_000, lambda: repeat(client, sql)):>10,.0f} rows/s")


def repeat(client: Client, sql: str) -> None:
    for _ in range(10):
        client.command(sql)


def under_load(inserter: Inserter, client: Client, process: psutil.Process) -> None:
    latencies: list[float] = []
    done = threading.Event()

    def query() -> None:
        while not done.is_set():
            started = time.perf_counter()
            client.query(f"SELECT count(), max(price) FROM crypto.{TRADE_TOPIC} WHERE symbol = 'BTCUSDT'")
            latencies.append((time.perf_counter() - started) * 1000)

    asking = threading.Thread(target=query)
    before = sum(process.cpu_times()[:2]), time.process_time()
    asking.start()
    started = time.perf_counter()
    for n in range(0, ROWS, 10_000):
        inserter(TRADE_TOPIC, trades(n, 10_000))
    speed = ROWS / (time.perf_counter() - started)
    done.set()
    asking.join()
    server_cpu = sum(process.cpu_times()[:2]) - before[0]
    own_cpu = time.process_time() - before[1]
    print(f"{ROWS:,} rows while being queried: {speed:,.0f} rows/s")
    print(f"CPU per row: server {server_cpu / ROWS * 1e6:.1f} us, client {own_cpu / ROWS * 1e6:.1f} us")
    print(
        f"queries meanwhile: {len(latencies)}, p50 {statistics.median(latencies):.1f} ms, most {max(latencies):.1f} ms"
    )
    print(f"memory of the server: {process.memory_info().rss / 2**20:.0f} MiB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, local_server(Path(folder)) as server:
        assert server.start()["event"] == "ready"
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        print(f"memory when empty: {process.memory_info().rss / 2**20:.0f} MiB")
        inserter = Inserter(lambda: connect(server.settings))
        with connect(server.settings) as client:
            apply(client, "clickhouse", lambda *_: None)
            sizes(inserter)
            engine_alone(client)
            under_load(inserter, client, process)
        inserter.close()


if __name__ == "__main__":
    main()
