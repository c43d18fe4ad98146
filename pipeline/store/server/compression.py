"""Content codings of request and response bodies: gzip, deflate, lz4 frames, zstd.

Bodies may be several frames one after the other (clickhouse-connect makes one for each block). ClickHouse's own block
framing (``compress=1``) is not here: it needs CityHash, which no dependency brings.
"""

import sys
import zlib
from typing import Any, Protocol

import lz4.frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from pipeline.store.server.errors import ServerError, refusal

CODINGS = ("lz4", "zstd", "gzip", "deflate")
_GZIP = 31  # zlib's wbits: a gzip header and trailer
_ZLIB = 15  # HTTP's "deflate" is zlib's format


class _Frame(Protocol):
    """What the libraries' decompressors have in common."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, /) -> bytes: ...


def _frame(coding: str) -> Any:
    match coding:
        case "lz4":
            return lz4.frame.LZ4FrameDecompressor()
        case "zstd":
            return zstd.ZstdDecompressor()
        case "gzip":
            return zlib.decompressobj(_GZIP)
        case "deflate":
            return zlib.decompressobj(_ZLIB)
        case _:
            raise refusal("UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method '{coding[:40]}'; known: {CODINGS}")


class Decompressor:
    """Turns a coded body into plain bytes, chunk by chunk."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._frame: _Frame | None = _frame(coding)

    def __call__(self, data: bytes) -> bytes:
        """Return what these bytes hold.

        Raises:
            ServerError: they are not in the promised coding.
        """
        plain = []
        while data:
            if self._frame is None:
                self._frame = _frame(self._coding)
            assert self._frame is not None
            try:
                plain.append(self._frame.decompress(data))
            except (RuntimeError, zlib.error, zstd.ZstdError) as error:
                raise self._refuse(str(error)) from error
            if not self._frame.eof:
                break
            data = self._frame.unused_data or b""
            self._frame = None
        return b"".join(plain)

    def finish(self) -> None:
        """Check that the last frame is whole.

        Raises:
            ServerError: the body was cut short.
        """
        if self._frame is not None and not self._frame.eof:
            raise self._refuse("the body ends within a frame")

    def _refuse(self, words: str) -> ServerError:
        return refusal("CANNOT_DECOMPRESS", f"Cannot decompress the body as {self._coding}: {words}")


class Compressor:
    """Codes a response body, chunk by chunk, as one frame."""

    def __init__(self, coding: str) -> None:
        self.coding = coding
        self._begin = b""
        self._object: Any
        match coding:
            case "lz4":
                self._object = lz4.frame.LZ4FrameCompressor()
                self._begin = self._object.begin()
            case "zstd":
                self._object = zstd.ZstdCompressor()
            case _:
                # Level 3 is ClickHouse's http_zlib_compression_level.
                self._object = zlib.compressobj(3, wbits=_GZIP if coding == "gzip" else _ZLIB)

    def __call__(self, data: bytes) -> bytes:
        """Return the coded bytes that are ready by now."""
        ready: bytes = self._begin + self._object.compress(data)
        self._begin = b""
        return ready

    def finish(self) -> bytes:
        """Return the frame's end."""
        rest: bytes = self._begin + self._object.flush()
        self._begin = b""
        return rest


def accepted_coding(accept: str) -> str | None:
    """Return the first coding of an Accept-Encoding header that is known here."""
    for item in accept.split(","):
        name, _, quality = item.strip().partition(";")
        if name.strip().lower() in CODINGS and quality.replace(" ", "") not in ("q=0", "q=0.0"):
            return name.strip().lower()
    return None
