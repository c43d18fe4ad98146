"""Which statement the cursor is in."""

import pytest

from pipeline.store.script import changes_data, line_and_column, statement_at

SCRIPT = """SELECT 1; -- one
-- the second one
SELECT ';',
  'é' ;

SELECT 3"""


@pytest.mark.parametrize(
    ("at", "sql", "number"),
    [
        ("SELECT 1", "SELECT 1", 1),
        ("-- one", "SELECT 1", 1),
        ("-- the", "SELECT ';',\n  'é'", 2),
        ("'é'", "SELECT ';',\n  'é'", 2),
        ("\n\nSELECT 3", "SELECT ';',\n  'é'", 2),
        ("\nSELECT 3", "SELECT 3", 3),
        ("3", "SELECT 3", 3),
    ],
)
def test_the_statement_of_the_cursor(at: str, sql: str, number: int) -> None:
    part = statement_at(SCRIPT, SCRIPT.index(at))
    assert part is not None
    assert (part.sql, part.number, part.of) == (sql, number, 3)
    assert SCRIPT[part.start : part.end] == sql


def test_behind_the_end_and_without_any() -> None:
    part = statement_at("SELECT 1;  ", 11)
    assert part is not None
    assert (part.sql, part.of) == ("SELECT 1", 1)
    assert statement_at(" -- nothing\n;", 3) is None


def test_what_is_never_closed_is_one_statement() -> None:
    part = statement_at("\nSELECT 'a; SELECT 2", 3)
    assert part is not None
    assert (part.sql, part.start, part.of) == ("SELECT 'a; SELECT 2", 1, 1)


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("SELECT 1", False),
        ("with x as (select 1) select * from x", False),
        ("EXPLAIN SELECT 1", False),
        ("INSERT INTO t VALUES (1)", True),
        ("drop table t", True),
        ("ALTER TABLE t DELETE WHERE 1", True),
        ("OPTIMIZE TABLE t", True),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", True),
        ("SELECT 'open", False),
        ("SELCT 1", False),
    ],
)
def test_what_changes_data(sql: str, changes: bool) -> None:
    assert changes_data(sql) is changes


def test_line_and_column() -> None:
    assert line_and_column("ab\ncd", 0) == (1, 1)
    assert line_and_column("ab\ncd", 4) == (2, 2)
