import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import clean, clean_bytes


@given(st.text(st.characters(codec=None)))
def test_nothing_that_a_terminal_acts_on_is_left(text: str) -> None:
    # Controls (Cc), formats with the bidirectional and zero-width ones (Cf), surrogates (Cs), separators of lines.
    assert not {unicodedata.category(char) for char in clean(text, limit=10_000)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("BTC\u202eTDSU", "BTC\\u202eTDSU"),
        ("[/b] and [red]", "[/b] and [red]"),
        ("a\tb\nc", "a b\\x0ac"),
        ("币安人生USDT", "币安人生USDT"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_was_there_stays_visible(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_lines_stay_where_lines_are_wanted() -> None:
    assert clean("a\nb\r", multiline=True) == "a\nb\\x0d"


def test_what_is_cut_is_said() -> None:
    assert clean("x" * 12, limit=10) == "x" * 10 + "… (2 more)"


@given(st.binary(max_size=300))
def test_bytes_never_fail(data: bytes) -> None:
    assert clean_bytes(data).isprintable()


def test_long_bytes_are_cut() -> None:
    assert clean_bytes(b"y" * 100, limit=10) == "y" * 10 + "… (90 more)"
