"""What is said of a query: in a line, beside the title, in words."""

import pytest

from cryptostreamx_tui.format import plain
from cryptostreamx_tui.outcome import Away, Cancelled, Done, Failed, Idle, Outcome, Running, brief, line, seconds, words
from pipeline.store.query import ROWS, Answer, Summary
from pipeline.store.result import Table

NOON = 1_723_118_671_000


def answer(rows: int, limit: int = ROWS, summary: Summary | None = None) -> Answer:
    table = Table(limit)
    table.feed(b"a\nInt64\n" + b"1\n" * rows)
    table.close()
    return Answer(table, summary or Summary(1234, 0, rows), 0.0421)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Idle(), ""),
        (Running(NOON - 3200), "◌ running 3s"),
        (Running(NOON - 3200, "exporting", cancelling=True), "◌ cancelling 3s"),
        (Running(NOON, part="statement 2 of 3"), "◌ running 0s · statement 2 of 3"),
        (Done(answer(1), NOON), "✓ 1 row · 0.042 s · 1,234 rows read · at 12:04:31Z"),
        (Done(answer(0), NOON), "✓ 0 rows · 0.042 s · 1,234 rows read · at 12:04:31Z"),
        (Done(answer(5, 3, Summary()), NOON), "✓ first 3 rows of more · 0.042 s · – rows read · at 12:04:31Z"),
        (Failed("x", 62, "SYNTAX_ERROR", (2, 5)), "✗ Code 62 · SYNTAX_ERROR · at line 2, column 5"),
        (Failed("there is no statement"), "✗ not run"),
        (Away("x"), "✗ ClickHouse does not answer"),
        (Cancelled(3200), "■ cancelled after 3.2 s"),
    ],
)
def test_the_line(outcome: Outcome, said: str) -> None:
    assert plain(line(outcome, NOON)) == said


def test_what_was_cut_is_said_with_what_to_do() -> None:
    said = plain(line(Done(answer(ROWS + 1), NOON), NOON))
    assert said.startswith("✓ first 100,000 rows of more (cut here; ^s exports all)")
    assert plain(brief(Done(answer(ROWS + 1), NOON), NOON)) == "100,000+ rows"


def test_a_statement_without_rows_tells_what_it_wrote() -> None:
    table = Table(10)
    table.close()
    assert plain(line(Done(Answer(table, Summary(0, 12, 0), 1.5), NOON), NOON)) == (
        "✓ done · 12 rows written · 1.5 s · at 12:04:31Z"
    )


def test_words_stand_only_where_there_is_no_table() -> None:
    for outcome in (Idle(), Running(NOON), Done(answer(1), NOON), Cancelled(1)):
        assert words(outcome) == []
    assert words(Failed("no\x1b[31m table", 60, "UNKNOWN_TABLE")) == ["no\\x1b[31m table"]
    ours, theirs = words(Away("gone", "backing off")), words(Away("gone"))
    assert "clickhouse is backing off" in ours[-1]
    assert "Health (F3)" in ours[-1]
    assert "CLICKHOUSE_URL" in theirs[-1]


@pytest.mark.parametrize(("value", "said"), [(0.0004, "0.000 s"), (0.42, "0.420 s"), (99.9, "99.9 s"), (192, "3m12s")])
def test_seconds(value: float, said: str) -> None:
    assert seconds(value) == said
