"""Asking for the time, against a scripted transport and against a real connection."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from pipeline.feed.rest import RestError
from pipeline.producer import clock as clock_module
from pipeline.producer.clock import ExchangeClock, ask, precise_ms


def client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the conditions are plain state, read from outside
            await asyncio.sleep(0.005)


async def test_one_question_is_one_sample() -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, json={"serverTime": 1_723_118_671_000})

    before = precise_ms()
    sample = await ask(client(answer), "https://exchange.test")
    assert paths == ["/api/v3/time"]
    assert before <= sample.sent <= sample.received <= precise_ms()
    assert sample.server == 1_723_118_671_000


@pytest.mark.parametrize("body", ["[]", "{}", '{"serverTime": "x"}', '{"serverTime": true}', '{"serverTime": -1}', "x"])
async def test_another_answer_is_no_time(body: str) -> None:
    with pytest.raises(RestError):
        await ask(client(lambda _: httpx.Response(200, text=body)), "https://exchange.test")


async def test_a_limit_says_when_one_may_ask_again() -> None:
    reply = httpx.Response(429, headers={"Retry-After": "17"}, json={"code": -1003, "msg": "Too many\x1b requests."})
    with pytest.raises(RestError, match=r"Too many.* requests") as caught:
        await ask(client(lambda _: reply), "https://exchange.test")
    assert caught.value.retry_after == 17


async def test_an_exchange_out_of_reach() -> None:
    async with httpx.AsyncClient() as nobody:
        with pytest.raises(RestError, match=r"127\.0\.0\.1:1"):
            await ask(nobody, "http://127.0.0.1:1")


@contextlib.asynccontextmanager
async def server_ahead(ms: int) -> AsyncIterator[str]:
    """A server of the time whose clock is ahead of ours; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            body = json.dumps({"serverTime": int(precise_ms()) + ms}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "FIRST_EVERY", 0.001)


@pytest.mark.usefixtures("quickly")
async def test_the_offset_is_measured_over_a_real_connection() -> None:
    async with server_ahead(700) as url:
        clock = ExchangeClock(url)
        task = asyncio.create_task(clock.run())
        await until(lambda: clock.offset is not None)
        offset = clock.offset
        task.cancel()
    assert offset is not None
    assert abs(offset.ms - 700) <= offset.uncertainty + 1
    assert offset.measured_at <= precise_ms()


async def test_what_refuses_is_left_alone_for_as_long_as_it_says(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slept: list[float] = []

    async def refuse(client: httpx.AsyncClient, url: str) -> None:
        raise RestError("banned", 120)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(clock_module, "ask", refuse)
    monkeypatch.setattr("pipeline.producer.clock.asyncio.sleep", sleep)
    clock = ExchangeClock("http://127.0.0.1:1")
    with caplog.at_level("INFO"), pytest.raises(asyncio.CancelledError):
        await clock.run()
    assert slept == [120, 120, 120]
    assert caplog.text.count("banned") == 1
    assert clock.offset is None


async def test_a_fault_of_ours_is_said_and_endangers_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(client: httpx.AsyncClient, url: str) -> None:
        raise AssertionError("unforeseen")

    monkeypatch.setattr(clock_module, "ask", fails)
    await ExchangeClock("http://127.0.0.1:1").run()
    assert "not measured any more" in caplog.text
