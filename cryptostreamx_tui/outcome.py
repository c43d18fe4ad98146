"""What came of a query: nothing yet, it runs, rows, an error - in one line, and in words where more is to be said.

Pure: no widget, no clock; times are milliseconds since the epoch.
"""

from dataclasses import dataclass

from cryptostreamx_tui.format import Line, Span, count, duration, hms, safe
from pipeline.store.query import ROWS, Answer
from pipeline.text import clean

WORDS_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing was run."""


@dataclass(frozen=True, slots=True)
class Running:
    """A statement runs, or its result is written to a file."""

    since: int
    doing: str = "running"
    part: str = ""
    """Which statement of several, in words."""
    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """There is a result."""

    answer: Answer
    at: int
    """When it came: what is stored goes on without it."""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """ClickHouse refused it."""

    message: str
    code: int | None = None
    name: str = ""
    place: tuple[int, int] | None = None
    """Line and column in the editor, from 1."""


@dataclass(frozen=True, slots=True)
class Away:
    """ClickHouse does not answer."""

    message: str
    state: str = ""
    """What the supervisor says of the service; empty where it is none of ours."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person gave it up."""

    after: int
    """Milliseconds."""


Outcome = Idle | Running | Done | Failed | Away | Cancelled


def seconds(value: float) -> str:
    """``0.042 s``, ``3.2 s``, ``3m12s``."""
    if value < 1:
        return f"{value:.3f} s"
    return f"{value:.1f} s" if value < 100 else duration(value * 1000)


def line(outcome: Outcome, now: int) -> Line:
    """Return the line between editor and table."""
    match outcome:
        case Idle():
            return []
        case Running():
            word = "cancelling" if outcome.cancelling else outcome.doing
            return [Span(f"◌ {word} {duration(now - outcome.since)}", "accent"), *_part(outcome.part)]
        case Done():
            return [*_rows(outcome.answer), Span(f" · at {hms(outcome.at)}Z", "dim"), *_part(outcome.part)]
        case Failed():
            return [Span("✗ " + _title(outcome), "bad")]
        case Away():
            return [Span("✗ ClickHouse does not answer", "bad")]
        case Cancelled():
            return [Span(f"■ cancelled after {seconds(outcome.after / 1000)}", "warn")]


def brief(outcome: Outcome, now: int) -> Line:
    """Return what stands beside the pane's title."""
    match outcome:
        case Done():
            rows = len(outcome.answer.table)
            return [Span(f"{rows:,}{'+' if outcome.answer.table.more else ''} rows", "dim")]
        case Running():
            return [Span(f"{outcome.doing} {duration(now - outcome.since)}", "accent")]
        case Failed() | Away():
            return [Span("✗", "bad")]
        case _:
            return []


def words(outcome: Outcome) -> list[str]:
    """Return the paragraphs that stand in the table's place; none where the table is to be shown."""
    match outcome:
        case Failed():
            return [clean(outcome.message, WORDS_LIMIT, multiline=True)]
        case Away():
            # What is called ready and does not answer has just died, or is too busy to.
            still = "still called ready: it may have just died" if outcome.state == "ready" else outcome.state
            service = f"The service clickhouse is {still}. " if outcome.state else ""
            hint = (
                "A server that died is started again by itself; Health (F3) shows its state and log, and restarts it."
                if outcome.state
                else "Check CLICKHOUSE_URL, the credentials, and that the server runs."
            )
            return [clean(outcome.message), "", f"{service}{hint} The query stays here: run it again with ctrl+r."]
        case _:
            return []


def _title(failed: Failed) -> str:
    parts = [] if failed.code is None else [f"Code {failed.code}"]
    if failed.name:
        parts.append(failed.name)
    if failed.place is not None:
        parts.append("at line {}, column {}".format(*failed.place))
    return safe(" · ".join(parts) or "not run")


def _rows(answer: Answer) -> Line:
    """``100,000 rows, the first of more · 0.42 s · 3,000,000 rows read``."""
    table, summary = answer.table, answer.summary
    time = Span(f" · {seconds(answer.elapsed)}", "dim")
    if not table.columns:
        written = summary.written_rows
        return [Span("✓ done", "good"), Span(f" · {count(written)} rows written" if written else "", "dim"), time]
    rows = len(table)
    found: Line = [Span(f"✓ {rows:,} row{'' if rows == 1 else 's'}", "good")]
    if table.more:
        found = [Span(f"✓ first {rows:,} rows of more", "warn")]
        if rows == ROWS:
            found.append(Span(" (cut here; ^s exports all)", "dim"))
    return [*found, time, Span(f" · {count(summary.read_rows)} rows read", "dim")]


def _part(part: str) -> Line:
    return [Span(f" · {part}", "dim")] if part else []
