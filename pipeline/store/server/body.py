"""Reading a request's body: decoded by its Content-Encoding, chunk by chunk, never more of it than is allowed."""

from collections.abc import AsyncIterator

from starlette.requests import Request

from pipeline.store.server.compression import Decompressor
from pipeline.store.server.errors import refusal


async def plain_body(request: Request) -> AsyncIterator[bytes]:
    """Yield the body's bytes as they were before coding.

    Raises:
        ServerError: the coding is unknown, or the body is not in it.
        ClientDisconnect: the client went away.
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    decompress = Decompressor(coding) if coding not in ("", "identity") else None
    async for chunk in request.stream():
        plain = decompress(chunk) if decompress and chunk else chunk
        if plain:
            yield plain
    if decompress:
        decompress.finish()


async def no_body() -> AsyncIterator[bytes]:
    """Yield nothing: what a body that was read elsewhere leaves."""
    nothing: tuple[bytes, ...] = ()
    for chunk in nothing:
        yield chunk


async def read_into(body: AsyncIterator[bytes], buffer: bytearray, limit: int, *, stop: bool = False) -> bool:
    """Append to ``buffer`` until the body ends (True) or the buffer holds ``limit`` bytes (False, with ``stop``).

    Raises:
        ServerError: without ``stop``, the body is larger than that.
    """
    while len(buffer) < limit:
        try:
            buffer += await anext(body)
        except StopAsyncIteration:
            return True
    if not stop:
        raise refusal("QUERY_IS_TOO_LARGE", f"the query is larger than {limit} bytes")
    return False
