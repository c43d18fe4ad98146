"""The head of a streamed result is sent once."""

import pytest

from pipeline.store.server.heads import HeadOnce


@pytest.mark.parametrize(
    ("name", "blocks", "sent"),
    [
        ("TSVWithNames", [b"a\n1\n", b"a\n2\n"], b"a\n1\n2\n"),
        ("TabSeparatedWithNamesAndTypes", [b"a\nInt8\n1\n", b"a\nInt8\na\n", b"a\nInt8\n"], b"a\nInt8\n1\na\n"),
        ("CSVWithNames", [b'"a\n""b"\n1\n', b'"a\n""b"\n2\n'], b'"a\n""b"\n1\n2\n'),
        ("CSV", [b"a\n", b"a\n"], b"a\na\n"),
    ],
)
def test_the_head_stays_with_the_first_block(name: str, blocks: list[bytes], sent: bytes) -> None:
    once = HeadOnce(name)
    assert b"".join(once(block) for block in blocks) == sent
