import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pipeline.services import probe
from pipeline.services.ports import HOST, free_port


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is not None:
            await reader.readline()
            writer.write(answer)
            writer.close()
        else:
            await reader.read()
            writer.close()

    listening = await asyncio.start_server(serve, HOST, 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def response(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


async def test_tcp() -> None:
    async with server(b"") as port:
        assert await probe.tcp(HOST, port)() is None
    reason = await probe.tcp(HOST, port)()
    assert reason is not None
    assert str(port) in reason


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("200 OK", "Ok.", None),
        ("204 No Content", "", None),
        ("503 Service Unavailable", "starting \x1b[31m", "503 starting \\x1b[31m"),
        ("302 Found", "", "302"),
    ],
)
async def test_http(status: str, body: str, expected: str | None) -> None:
    async with server(response(status, body)) as port:
        reason = await probe.http(f"http://{HOST}:{port}/ping")()
    assert (reason is None) == (expected is None)
    assert (expected or "") in (reason or "")


async def test_http_of_a_server_that_is_away_or_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port(0)
    reason = await probe.http(f"http://{HOST}:{port}/")()
    assert reason is not None
    assert str(port) in reason
    monkeypatch.setattr(probe, "TIMEOUT", 0.1)
    async with server(None) as port:
        assert await probe.http(f"http://{HOST}:{port}/")() is not None


async def test_http_ignores_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with server(response("200 OK", "")) as port:
        assert await probe.http(f"http://{HOST}:{port}/")() is None
