"""A symbol turned on and off while it runs: the producer as it is, between the simulated exchange and a mock Kafka.

What is asserted is the order of things; how long they took is measured, and held only to a bound that a busy machine
keeps as well.
"""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.child import now_ms
from pipeline.events import Command, FrameFound, ProducerStats
from pipeline.feed.day import ticker_of
from pipeline.feed.listing import Listing
from pipeline.feed.wire import decode
from pipeline.model import Trade
from tests.contract.exchange_process import ExchangeProcess
from tests.contract.exchange_process import exchange as simulated
from tests.contract.test_exchange import get
from tests.contract.test_producer import Servers, event, producer, stats
from tests.unit.producer.kafka_mock import MockCluster

BOUND_MS = 5_000


@pytest.fixture(scope="module")
def cluster() -> MockCluster:
    return MockCluster()


@asynccontextmanager
async def running(cluster: MockCluster, home: Path) -> AsyncIterator[tuple[ExchangeProcess, Process]]:
    """The exchange and a producer that streams BTCUSDT."""
    registry = Servers()
    async with (
        simulated(home, "--rate", "400", "--symbols", "BTCUSDT,ETHUSDT") as exchange,
        await asyncio.start_server(registry.answer, "127.0.0.1", 0) as http,
    ):
        registry.ws = f"ws://{exchange.address}"
        registry.http = f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}"
        address = f"http://{exchange.address}"
        async with producer(registry, cluster.bootstrap, home, "BTCUSDT", rest=address) as process:
            await event(process, stats(lambda found: found.symbols == ("BTCUSDT",) and found.acknowledged > 0))
            yield exchange, process


async def tell(process: Process, **command: Any) -> int:
    """Send a command; return when (ms)."""
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(Command(**command)) + b"\n")
    await process.stdin.drain()
    return now_ms()


async def last_id(process: Process, symbol: str) -> int:
    """Return the highest accepted id of a symbol."""
    await tell(process, report_ids=True)
    report = await event(process, stats(lambda found: found.accepted_ids is not None))
    return int(report.accepted_ids[symbol][-1][1])


async def test_a_toggle_takes_effect_and_rises_without_waiting_for_the_next_report(
    cluster: MockCluster, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with running(cluster, tmp_path) as (_, process):
        asked = await tell(process, symbols=("BTCUSDT", "ETHUSDT"))
        on: ProducerStats = await event(process, stats(lambda found: found.symbols == ("BTCUSDT", "ETHUSDT")))
        record_property("on_ms", on.time - asked)
        assert on.pending == ()
        assert on.time - asked < BOUND_MS
        await event(process, stats(lambda found: found.accepted > on.accepted + 400))
        assert await last_id(process, "ETHUSDT") > 0

        asked = await tell(process, symbols=("ETHUSDT",))
        off: ProducerStats = await event(process, stats(lambda found: found.symbols == ("ETHUSDT",)))
        record_property("off_ms", off.time - asked)
        assert off.time - asked < BOUND_MS
        last = await last_id(process, "BTCUSDT")
        before = await last_id(process, "ETHUSDT")
        await event(process, stats(lambda found: found.accepted > off.accepted + 400))
        assert await last_id(process, "BTCUSDT") == last, "after the acknowledgement none comes any more"
        assert await last_id(process, "ETHUSDT") > before
        assert off.reconnects == 0


async def test_toggles_in_quick_succession_end_with_the_last_one(cluster: MockCluster, tmp_path: Path) -> None:
    async with running(cluster, tmp_path) as (_, process):
        for _ in range(10):
            await tell(process, symbols=("BTCUSDT", "ETHUSDT"))
            await tell(process, symbols=("BTCUSDT",))
        asked = await tell(process, symbols=("ETHUSDT", "BTCUSDT"))
        settled = await event(process, stats(lambda found: found.symbols == ("ETHUSDT", "BTCUSDT")))
        assert settled.time - asked < BOUND_MS
        assert settled.reconnects == 0, "no limit of the exchange's was reached"


async def test_a_symbol_that_is_not_listed_is_told_as_such(cluster: MockCluster, tmp_path: Path) -> None:
    async with running(cluster, tmp_path) as (_, process):
        await tell(process, symbols=("BTCUSDT", "NOUSDT"))
        found = await event(process, stats(lambda found: found.unlisted == ("NOUSDT",)))
        assert (found.symbols, found.pending) == (("BTCUSDT",), ())


async def test_the_frame_of_an_accepted_trade_is_told(cluster: MockCluster, tmp_path: Path) -> None:
    async with running(cluster, tmp_path) as (_, process):
        trade_id = await last_id(process, "BTCUSDT")
        for asked, kept in ((trade_id, True), (1, False)):
            await tell(process, frame=("BTCUSDT", asked))
            answer: FrameFound = await event(process, lambda found: isinstance(found, FrameFound))
            assert (answer.symbol, answer.trade_id, answer.frame is not None) == ("BTCUSDT", asked, kept)
            if answer.frame is not None:
                trade = decode(answer.frame.encode(), now_ms())
                assert isinstance(trade, Trade)
                assert (trade.symbol, trade.trade_id) == ("BTCUSDT", trade_id)


async def test_the_list_of_symbols_and_the_tickers_of_the_simulated_exchange(tmp_path: Path) -> None:
    async with simulated(tmp_path, "--rate", "400") as exchange:
        listed = await Listing(f"http://{exchange.address}").all()
        symbols = [one.symbol for one in listed]
        assert {"BTCUSDT", "ETHUSDT"} <= set(symbols)
        assert all((one.status, one.quoteAsset) == ("TRADING", "USDT") for one in listed)
        answer = await get(exchange, "ticker/24hr", symbols=msgspec.json.encode(symbols).decode(), type="MINI")
        entries = answer.json()
        assert [entry["symbol"] for entry in entries] == symbols
        tickers = [ticker for entry in entries if (ticker := ticker_of(entry)) is not None]
        assert tickers
        assert not any(ticker.whole for ticker in tickers), "nobody knows what was a day ago"
