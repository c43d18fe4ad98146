"""The query pane as it looks: nothing run, rows, too many rows, an error, ClickHouse away."""

from typing import Any

from pipeline.model import ServiceState
from pipeline.store.query import Answer, AwayError, QueryError, Summary
from pipeline.store.result import Table
from tests.tui import fakes
from tests.tui.fakes import NOON, FakeStack
from tests.tui.scenes import screens

HEAD = (
    b"window_start_dt\tsymbol\ttrade_count\tvwap\ttotal_quantity\tnote\n"
    b"DateTime64(3, 'UTC')\tLowCardinality(String)\tInt64\tFloat64\tFloat64\tNullable(String)\n"
)


def answer(rows: int, limit: int = 100_000) -> Answer:
    """Rows that follow from their number alone."""
    table = Table(limit)
    table.feed(HEAD)
    for number in range(rows):
        minute, symbol = divmod(number, 2)
        line = (
            f"2024-08-08T{12 - minute // 60 % 12:02}:{59 - minute % 60:02}:00.000Z\t{('BTCUSDT', 'ETHUSDT')[symbol]}"
            f"\t{1234 + number}\t{61832.456 - number / 8}\t{43.21 + number % 97}\t\\N\n"
        )
        if not table.feed(line.encode()):
            break
    table.close()
    return Answer(table, Summary(3_000_000, 0, rows), 0.042)


def rows(number: int, limit: int = 100_000) -> Any:
    """The next query has rows."""

    def prepare(stack: FakeStack) -> None:
        assert stack.desk is not None
        stack.desk.answer = answer(number, limit)

    return prepare


def fails(error: Exception) -> Any:
    """The next query fails."""

    def prepare(stack: FakeStack) -> None:
        assert stack.desk is not None
        stack.desk.error = error

    return prepare


SYNTAX = QueryError(
    "Syntax error: failed at position 14 (symbl): symbl FROM crypto.binance_trade. Expected one of: token, DoubleColon,"
    " MOD, DIV, NOT, BETWEEN, LIKE, ILIKE, NOT LIKE, NOT ILIKE, REGEXP, IN, NOT IN, GLOBAL IN, IS NULL, alias, FROM,"
    " PREWHERE, WHERE, GROUP BY, WITH, HAVING, WINDOW, ORDER BY, LIMIT, OFFSET, FETCH, SETTINGS, UNION, FORMAT",
    62,
    "SYNTAX_ERROR",
    14,
)
AWAY = AwayError("ClickHouse does not answer at http://127.0.0.1:8123: All connection attempts failed")
DOWN = [
    *fakes.streaming(NOON),
    fakes.service("clickhouse", NOON, ServiceState.BACKING_OFF, last_error="killed by signal 9", retry_at=NOON + 4_000),
]
READY_MADE = ("u", "ctrl+t", "enter")

SCENES = {
    "empty": ({"keys": ("u",)}, fakes.streaming(NOON)),
    "live": ({"keys": READY_MADE, "prepare": rows(100)}, fakes.streaming(NOON)),
    "cut": ({"keys": (*READY_MADE, "escape", "end"), "prepare": rows(100_001)}, fakes.streaming(NOON)),
    "failing": ({"keys": READY_MADE, "prepare": fails(SYNTAX)}, fakes.streaming(NOON)),
    "away": ({"keys": READY_MADE, "prepare": fails(AWAY)}, DOWN),
    "ready": ({"keys": ("u", "ctrl+t")}, fakes.streaming(NOON)),
}

test_screen = screens(SCENES)
