"""The look-up of symbols against a scripted transport."""

import json
from collections.abc import Callable

import httpx
import pytest

from pipeline.feed.rest import ExchangeInfo, RestError

LISTED = {"BTCUSDT", "ETHUSDT", "币安人生USDT"}


def info(monkeypatch: pytest.MonkeyPatch, handle: Callable[[httpx.Request], httpx.Response]) -> ExchangeInfo:
    original = httpx.AsyncClient.__init__

    def with_transport(self: httpx.AsyncClient, **kwargs: object) -> None:
        original(self, transport=httpx.MockTransport(handle), **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx.AsyncClient, "__init__", with_transport)
    return ExchangeInfo("https://exchange.test/")


def binance(request: httpx.Request) -> httpx.Response:
    assert request.url.path == "/api/v3/exchangeInfo"
    asked = json.loads(request.url.params["symbols"])
    if set(asked) <= LISTED:
        return httpx.Response(200, json={"symbols": [{"symbol": symbol} for symbol in asked]})
    return httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})


async def test_all_listed_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[httpx.Request] = []
    subject = info(monkeypatch, lambda request: requests.append(request) or binance(request))  # type: ignore[func-returns-value]
    assert await subject.known(sorted(LISTED)) == LISTED
    assert len(requests) == 1


async def test_unknown_ones_are_found_among_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await info(monkeypatch, binance).known(["NO1", "BTCUSDT", "NO2", "ETHUSDT", "x' --"]) == {
        "BTCUSDT",
        "ETHUSDT",
    }


async def test_nothing_asked_is_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await info(monkeypatch, lambda request: httpx.Response(500)).known([]) == set()


@pytest.mark.parametrize("status", [429, 418])
async def test_a_limit_says_when_one_may_ask_again(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    answer = httpx.Response(status, headers={"Retry-After": "120"}, json={"code": -1003, "msg": "Too many requests."})
    with pytest.raises(RestError, match="Too many requests") as caught:
        await info(monkeypatch, lambda request: answer).known(["BTCUSDT"])
    assert caught.value.retry_after == 120


@pytest.mark.parametrize(
    "answer", [httpx.Response(502, text="<html>bad\x1b"), httpx.Response(200, text="[]"), httpx.Response(200, json={})]
)
async def test_other_answers_are_errors(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response) -> None:
    with pytest.raises(RestError) as caught:
        await info(monkeypatch, lambda request: answer).known(["BTCUSDT"])
    assert "\x1b" not in str(caught.value)
    assert caught.value.retry_after > 0


async def test_an_exchange_out_of_reach() -> None:
    with pytest.raises(RestError, match=r"127\.0\.0\.1:1"):
        await ExchangeInfo("http://127.0.0.1:1").known(["BTCUSDT"])
