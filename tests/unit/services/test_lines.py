import itertools

from hypothesis import given
from hypothesis import strategies as st

from pipeline.services.lines import LineSplitter


@given(st.lists(st.binary(max_size=20)))
def test_lines_do_not_depend_on_how_the_bytes_arrive(chunks: list[bytes]) -> None:
    splitter = LineSplitter()
    lines = list(itertools.chain.from_iterable(splitter.feed(chunk) for chunk in chunks))
    *expected, rest = b"".join(chunks).split(b"\n")
    assert lines == [(line, 0) for line in expected]
    assert splitter.end() == ((rest, 0) if rest else None)


@given(st.lists(st.binary(max_size=5000).map(lambda data: data.replace(b"\n", b"")), min_size=1))
def test_a_line_that_is_too_long_keeps_its_beginning_and_is_counted(chunks: list[bytes]) -> None:
    splitter = LineSplitter(max_line=3000)
    for chunk in chunks:
        assert list(splitter.feed(chunk)) == []
    ((line, dropped),) = splitter.feed(b"\n")
    whole = b"".join(chunks)
    assert whole.startswith(line)
    assert len(line) + dropped == len(whole)
    assert (dropped > 0) == (len(whole) > 3000)
    assert len(line) >= min(len(whole), 2000)
    assert list(splitter.feed(b"next\n")) == [(b"next", 0)]
