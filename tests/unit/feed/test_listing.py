"""The exchange's list of symbols, against a scripted transport."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from pipeline.feed.listing import KEPT_S, Listed, Listing
from pipeline.feed.rest import RestError

ENTRIES = [
    {"symbol": "ETHUSDT", "status": "TRADING", "baseAsset": "ETH", "quoteAsset": "USDT", "filters": []},
    {"symbol": "币安人生USDT", "status": "TRADING", "baseAsset": "币安人生", "quoteAsset": "USDT"},
    {"symbol": "BCCUSDT", "status": "BREAK", "baseAsset": "BCC", "quoteAsset": "USDT"},
    {"symbol": "\x1b]0;x\x07", "status": "TRADING", "baseAsset": "", "quoteAsset": ""},
]


class Exchange:
    """Answers, counts, and has a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, handle: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []
        self.time = 0.0
        original = httpx.AsyncClient.__init__

        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return handle(request)

        def with_transport(client: httpx.AsyncClient, **kwargs: object) -> None:
            original(client, transport=httpx.MockTransport(answer), **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(httpx.AsyncClient, "__init__", with_transport)
        self.listing = Listing("https://exchange.test/", lambda: self.time)


def listed(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"symbols": ENTRIES})


async def test_symbols_come_by_name_with_what_is_said_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(monkeypatch, listed)
    assert await exchange.listing.all() == (
        Listed("BCCUSDT", "BREAK", "BCC", "USDT"),
        Listed("ETHUSDT", "TRADING", "ETH", "USDT"),
        Listed("币安人生USDT", "TRADING", "币安人生", "USDT"),
    ), "what could be no symbol is left out"
    assert exchange.requests[0].url.path == "/api/v3/exchangeInfo"


async def test_it_is_asked_for_once_in_some_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(monkeypatch, listed)
    first, second = await asyncio.gather(exchange.listing.all(), exchange.listing.all())
    assert first == second
    exchange.time = KEPT_S - 1
    await exchange.listing.all()
    assert len(exchange.requests) == 1
    exchange.time = KEPT_S
    await exchange.listing.all()
    assert len(exchange.requests) == 2


@pytest.mark.parametrize("status", [429, 418])
async def test_a_limit_is_kept_to(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    refused = httpx.Response(status, headers={"Retry-After": "120"}, json={"code": -1003, "msg": "Too much weight."})
    answers = [refused, listed(httpx.Request("GET", "/"))]
    exchange = Exchange(monkeypatch, lambda _: answers.pop(0))
    for exchange.time in (0.0, 119.0):
        with pytest.raises(RestError, match="Too much weight") as caught:
            await exchange.listing.all()
        assert caught.value.retry_after == 120 - exchange.time
    assert len(exchange.requests) == 1
    exchange.time = 120.0
    assert len(await exchange.listing.all()) == 3


@pytest.mark.parametrize("answer", [httpx.Response(502, text="bad\x1b"), httpx.Response(200, json=[])])
async def test_another_answer_is_an_error_and_may_be_asked_again(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response
) -> None:
    answers = [answer, listed(httpx.Request("GET", "/"))]
    exchange = Exchange(monkeypatch, lambda _: answers.pop(0))
    with pytest.raises(RestError) as caught:
        await exchange.listing.all()
    assert "\x1b" not in str(caught.value)
    assert len(await exchange.listing.all()) == 3


async def test_an_exchange_out_of_reach_is_told_in_the_systems_words() -> None:
    with pytest.raises(RestError, match=r"127\.0\.0\.1:1"):
        await Listing("http://127.0.0.1:1").all()
