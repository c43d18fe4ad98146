"""Content codings, chunk by chunk and frame after frame."""

import gzip
import zlib

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.server.compression import CODINGS, Compressor, Decompressor, accepted_coding
from pipeline.store.server.errors import ServerError


@given(st.sampled_from(CODINGS), st.lists(st.binary(max_size=500), max_size=5), st.integers(1, 97))
def test_what_is_compressed_comes_back_however_it_is_cut(coding: str, chunks: list[bytes], cut: int) -> None:
    compress, decompress = Compressor(coding), Decompressor(coding)
    coded = b"".join(compress(chunk) for chunk in chunks) + compress.finish()
    plain = b"".join(decompress(coded[at : at + cut]) for at in range(0, len(coded), cut))
    decompress.finish()
    assert plain == b"".join(chunks)


def test_frames_one_after_the_other_are_one_body() -> None:
    for coding, code in (("lz4", lz4.frame.compress), ("gzip", gzip.compress), ("deflate", zlib.compress)):
        decompress = Decompressor(coding)
        assert decompress(code(b"one") + code(b"two")) == b"onetwo"
        decompress.finish()


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_is_not_in_its_coding_is_refused(coding: str) -> None:
    with pytest.raises(ServerError, match="Cannot decompress") as caught:
        Decompressor(coding)(b"this is plain text, and long enough")
    assert caught.value.name == "CANNOT_DECOMPRESS"


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_is_cut_short_is_refused(coding: str) -> None:
    compress, decompress = Compressor(coding), Decompressor(coding)
    decompress((compress(b"x" * 5000) + compress.finish())[:-3])
    with pytest.raises(ServerError):
        decompress.finish()


def test_an_unknown_coding_is_refused() -> None:
    with pytest.raises(ServerError, match="snappy"):
        Decompressor("snappy")


@pytest.mark.parametrize(
    ("header", "coding"),
    [("", None), ("identity", None), ("gzip", "gzip"), ("br, zstd;q=0.5, gzip", "zstd"), ("lz4;q=0, gzip", "gzip")],
)
def test_the_first_known_coding_is_taken(header: str, coding: str | None) -> None:
    assert accepted_coding(header) == coding
