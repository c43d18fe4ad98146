"""The watch for 24-hour tickers, against a scripted transport."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from pipeline.events import DaySeen, DayTicker
from pipeline.feed import day
from pipeline.feed.day import A_REQUEST, DayWatch, ticker_of
from tests.unit.feed.small_exchange import until

DAY = 86_400_000
NOW = 1_790_000_000_000
LISTED = {"BTCUSDT", "币安人生USDT", *(f"S{n}USDT" for n in range(250))}


def entry(symbol: str, first: str = "100.0", last: str = "110.0") -> dict[str, object]:
    return {"symbol": symbol, "openPrice": first, "lastPrice": last, "openTime": NOW - DAY, "closeTime": NOW}


def binance(request: httpx.Request) -> httpx.Response:
    assert (request.url.path, request.url.params["type"]) == ("/api/v3/ticker/24hr", "MINI")
    asked = json.loads(request.url.params["symbols"])
    if set(asked) <= LISTED:
        return httpx.Response(200, json=[entry(symbol) for symbol in asked])
    return httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})


class Watched:
    """A watch that runs, what it told, and what it asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, handle: Callable[[httpx.Request], httpx.Response]) -> None:
        self.symbols: tuple[str, ...] = ("BTCUSDT",)
        self.told: list[DaySeen] = []
        self.requests: list[httpx.Request] = []
        original = httpx.AsyncClient.__init__

        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return handle(request)

        def with_transport(client: httpx.AsyncClient, **kwargs: object) -> None:
            original(client, transport=httpx.MockTransport(answer), **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(httpx.AsyncClient, "__init__", with_transport)
        monkeypatch.setattr(day, "SOON_S", 0.0)
        self.watch = DayWatch("https://exchange.test", self.told.append, lambda: self.symbols)

    async def tell(self, times: int) -> None:
        task = asyncio.create_task(self.watch.run())
        await until(lambda: len(self.told) >= times or task.done())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_all_known_symbols_are_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, binance)
    watched.symbols = ("BTCUSDT", "币安人生USDT")
    await watched.tell(1)
    ticker = DayTicker(100.0, 110.0, NOW - DAY, NOW)
    assert watched.told[0].tickers == {"BTCUSDT": ticker, "币安人生USDT": ticker}
    assert ticker.whole
    assert len(watched.requests) == 1


async def test_no_request_names_more_than_the_weight_of_40_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, binance)
    watched.symbols = tuple(f"S{n}USDT" for n in range(250))
    await watched.tell(1)
    assert len(watched.told[0].tickers) == 250
    assert [len(json.loads(request.url.params["symbols"])) for request in watched.requests] == [A_REQUEST, 100, 50]


async def test_a_symbol_that_is_not_listed_takes_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, binance)
    watched.symbols = ("NOUSDT", "BTCUSDT")
    watched.watch.changed()
    task = asyncio.create_task(watched.watch.run())
    await until(lambda: len(watched.told) == 1)
    asked = len(watched.requests)
    watched.symbols = ("NOUSDT", "BTCUSDT", "S1USDT")
    watched.watch.changed()
    await until(lambda: len(watched.told) == 2)
    task.cancel()
    assert [set(seen.tickers) for seen in watched.told] == [{"BTCUSDT"}, {"BTCUSDT", "S1USDT"}]
    assert len(watched.requests) == asked + 1, "it is not asked for again"


async def test_a_limit_is_told_and_kept_to_whoever_is_in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        watched.watch.changed()
        await asyncio.Event().wait()

    refused = httpx.Response(429, headers={"Retry-After": "90"}, json={"code": -1003, "msg": "Too much weight."})
    watched = Watched(monkeypatch, lambda _: refused)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    task = asyncio.create_task(watched.watch.run())
    while not waits:
        await asyncio.wait([task], timeout=0.005)
    task.cancel()
    assert waits == [90.0]
    (seen,) = watched.told
    assert seen.tickers == {}
    assert seen.error is not None
    assert "Too much weight" in seen.error


@pytest.mark.parametrize(
    "change",
    [
        {"openPrice": "0.00000000"},
        {"openPrice": "nan"},
        {"lastPrice": "inf"},
        {"lastPrice": None},
        {"openTime": "yesterday"},
        {"closeTime": -1},
        {"openTime": True},
    ],
)
def test_what_is_no_ticker_is_unknown(change: dict[str, object]) -> None:
    assert ticker_of(entry("BTCUSDT")) is not None
    assert ticker_of({**entry("BTCUSDT"), **change}) is None
    assert ticker_of({}) is None


def test_less_than_a_day_is_not_whole() -> None:
    assert not DayTicker(1.0, 1.0, NOW - DAY + 120_000, NOW).whole
