"""A result kept as text: rows on demand, NULL, escapes, the limit, odd ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.result import ResultColumn, Row, Table

HEAD = b"a\tb\nInt64\tNullable(String)\n"


def table(text: bytes, limit: int = 10, size: int = 1_000_000, *, heads: bool = True) -> Table:
    made = Table(limit, heads=heads, title="FORMAT CSV")
    for at in range(0, len(text), size):
        if not made.feed(text[at : at + size]):
            break
    made.close()
    return made


def rows(made: Table) -> list[Row]:
    return [made.row(i) for i in range(len(made))]


def test_rows_and_columns() -> None:
    made = table(HEAD + rb"1	\N" + b"\n" + rb"2	x\ty\nz\\N\'" + b"\n")
    assert made.columns == (ResultColumn("a", "Int64"), ResultColumn("b", "Nullable(String)"))
    assert rows(made) == [("1", None), ("2", "x\ty\nz\\N'")]
    with pytest.raises(IndexError):
        made.row(2)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("given_rows", "kept", "more"), [(0, 0, False), (2, 2, False), (3, 3, False), (5, 3, True)])
def test_the_limit_however_the_bytes_arrive(size: int, given_rows: int, kept: int, more: bool) -> None:
    made = table(HEAD + b"".join(b"%d\tx\n" % i for i in range(given_rows)), 3, size)
    assert (len(made), made.more) == (kept, more)
    assert rows(made) == [(str(i), "x") for i in range(kept)]
    assert made.size == len(HEAD) + 4 * kept


def test_bytes_that_are_no_text_are_shown() -> None:
    assert rows(table(b"a\nString\n\xff\x1b[31m\x00\n")) == [("\\xff\x1b[31m\0",)]


def test_lines_as_they_are() -> None:
    made = table(b"1,2\n3,4", heads=False)
    assert made.columns == (ResultColumn("FORMAT CSV", ""),)
    assert rows(made) == [("1,2",), ("3,4",)]
    assert rows(table(b"1\n2\n3", 2, heads=False)) == [("1",), ("2",)]
    assert table(b"1\n2\n3", 2, heads=False).more


def test_no_answer_at_all_has_no_columns() -> None:
    made = table(b"")
    assert (made.columns, len(made), made.more) == ((), 0, False)


def test_a_line_with_fewer_values_is_filled_up() -> None:
    assert rows(table(HEAD + b"1\tx\n\n0\ty\n")) == [("1", "x"), ("", ""), ("0", "y")]


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("UInt8", True),
        ("Nullable(Decimal(18, 3))", True),
        ("LowCardinality(Nullable(Int8))", True),
        ("Float64", True),
        ("Array(UInt8)", False),
        ("String", False),
        ("DateTime64(3)", False),
    ],
)
def test_which_columns_are_numbers(kind: str, number: bool) -> None:
    assert ResultColumn("x", kind).number is number


ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f", "'": "\\'"}


@given(st.lists(st.tuples(st.text(), st.none() | st.text()), max_size=20), st.integers(1, 50))
def test_what_is_escaped_comes_back(values: list[tuple[str, str | None]], size: int) -> None:
    def cell(value: str | None) -> str:
        return "\\N" if value is None else "".join(ESCAPES.get(char, char) for char in value)

    text = "".join("\t".join(map(cell, value)) + "\n" for value in values)
    assert rows(table(HEAD + text.encode("utf-8", "surrogatepass"), 100, size)) == values
