"""Where statements, comments, strings and data begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.sql import UnterminatedError, read_statement, split_statements, tokens


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("", []),
        (";;", []),
        ("-- only; a comment", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("-- a;\nSELECT ';' /* ; */ -- b\n; # c;\nSELECT 2", ["SELECT ';'", "SELECT 2"]),
        ("SELECT 'it''s;', 'a\\';b', `c;d`, \"e;f\"; X", ["SELECT 'it''s;', 'a\\';b', `c;d`, \"e;f\"", "X"]),
        ("SELECT $$;$$; SELECT $x$;$$;$x$", ["SELECT $$;$$", "SELECT $x$;$$;$x$"]),
        ("SELECT '币安人生'; SELECT 2", ["SELECT '币安人生'", "SELECT 2"]),
        ("CREATE TABLE t (a Int8 -- ;\n)", ["CREATE TABLE t (a Int8 -- ;\n)"]),
    ],
)
def test_statements_end_at_semicolons_of_their_own(script: str, statements: list[str]) -> None:
    assert split_statements(script) == statements


@pytest.mark.parametrize("script", ["SELECT 'a", "SELECT `a", 'SELECT "a', "/* a", "SELECT 'a\\'"])
def test_an_open_quote_or_comment_is_an_error(script: str) -> None:
    with pytest.raises(UnterminatedError):
        split_statements(script)


@pytest.mark.parametrize(
    ("sql", "head", "clauses", "data_format", "data"),
    [
        (b"INSERT INTO t (a, b) FORMAT Native\n\xff'\x00;", b"INSERT INTO t (a, b) ", b"", "Native", b"\xff'\x00;"),
        (b"INSERT INTO t FORMAT CSV\r\n\n1", b"INSERT INTO t ", b"", "CSV", b"\n1"),
        (b"insert into t format CSV 1,2", b"insert into t ", b"", "CSV", b"1,2"),
        (b"INSERT INTO t SETTINGS a=1 FORMAT CSV\nx", b"INSERT INTO t ", b"SETTINGS a=1 ", "CSV", b"x"),
        (b"INSERT INTO format FORMAT CSV\n1", b"INSERT INTO format ", b"", "CSV", b"1"),
        (b"INSERT INTO t VALUES (1, ';')", b"INSERT INTO t ", b"", "Values", b" (1, ';')"),
        (b"INSERT INTO t (format) VALUES (1)", b"INSERT INTO t (format) ", b"", "Values", b" (1)"),
        (b"/* FORMAT X */ INSERT INTO t FORMAT TSV\n", b"/* FORMAT X */ INSERT INTO t ", b"", "TSV", b""),
    ],
)
def test_an_inserts_data_begin_after_its_format(
    sql: bytes, head: bytes, clauses: bytes, data_format: str, data: bytes
) -> None:
    statement = read_statement(sql)
    assert (statement.head, statement.clauses, statement.format) == (head, clauses, data_format)
    assert sql[statement.data_start :] == data
    assert statement.writes


@pytest.mark.parametrize(
    ("sql", "data_format"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 FORMAT JSON SETTINGS max_threads = 1;", "JSON"),
        (b"SELECT 1 SETTINGS max_threads = 1 FORMAT JSON -- end", "JSON"),
        (b"SELECT format FROM t", None),
        (b"SELECT 1 AS format, 2 FORMAT TSV", "TSV"),
        (b"SELECT (SELECT 1 FORMAT CSV)", None),
        (b"SELECT 'FORMAT CSV'", None),
    ],
)
def test_the_format_clause_is_told_from_names(sql: bytes, data_format: str | None) -> None:
    assert read_statement(sql).format == data_format


@pytest.mark.parametrize(
    ("sql", "writes", "answers"),
    [
        (b"SELECT 1", False, True),
        (b"(SELECT 1) UNION ALL (SELECT 2)", False, True),
        (b"WITH 1 AS x SELECT x", False, True),
        (b"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", True, True),
        (b"SHOW TABLES", False, True),
        (b"SET max_threads = 1", False, False),
        (b"CREATE TABLE t (a Int8) ENGINE = Memory", True, False),
        (b"drop table t", True, False),
        (b"", False, False),
    ],
)
def test_what_a_statement_does(sql: bytes, writes: bool, answers: bool) -> None:
    statement = read_statement(sql)
    assert (statement.writes, statement.answers) == (writes, answers)


def test_several_statements_are_seen() -> None:
    assert read_statement(b"SELECT 1; DROP TABLE t").several
    assert not read_statement(b"SELECT ';'; -- nothing").several


@given(st.binary(max_size=200))
def test_any_bytes_are_lexed_or_refused(data: bytes) -> None:
    try:
        found = list(tokens(data))
    except UnterminatedError:
        return
    assert all(data[token.start : token.end] == token.text for token in found)
    assert [token.start for token in found] == sorted(token.start for token in found)


@given(st.binary(max_size=200))
def test_no_data_change_where_they_begin(data: bytes) -> None:
    head = b"INSERT INTO t FORMAT Native\n"
    assert read_statement(head + data).data_start == len(head)
