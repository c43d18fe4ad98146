"""A script in an editor: which statement the cursor is in, and what has to be asked before it is run. Pure."""

from typing import NamedTuple

from pipeline.store.sql import Token, UnterminatedError, read_statement, tokens

_CHANGES = {
    "ALTER", "ATTACH", "BACKUP", "CREATE", "DELETE", "DETACH", "DROP", "EXCHANGE", "GRANT", "INSERT", "KILL", "MOVE",
    "OPTIMIZE", "RENAME", "REPLACE", "RESTORE", "REVOKE", "SYSTEM", "TRUNCATE", "UNDROP", "UPDATE",
}  # fmt: skip


class Part(NamedTuple):
    """One statement of a script; ``start`` and ``end`` count characters."""

    sql: str
    start: int
    end: int
    number: int
    """1 for the first."""
    of: int
    """Statements in the script."""


def statement_at(script: str, cursor: int) -> Part | None:
    """Return the statement that the character offset ``cursor`` is in, or else the last one before it.

    The semicolon and what follows it in the same line still belong to the statement. None where there is none. A
    script with a quote or a comment that is never closed is one statement: ClickHouse words the error best.
    """
    try:
        spans = _spans(script.encode("utf-8", "surrogatepass"))
    except UnterminatedError:
        text = script.strip()
        start = script.find(text)
        return Part(text, start, start + len(text), 1, 1)
    if not spans:
        return None
    data = script.encode("utf-8", "surrogatepass")
    at = len(script[:cursor].encode("utf-8", "surrogatepass"))
    index = 0
    for i, (start, _) in enumerate(spans):
        # Comments and empty lines above a statement are its own; the rest of the line before is not.
        line_end = data.find(b"\n", spans[i - 1][1], start) if i else 0
        if at > line_end >= 0 or at >= start:
            index = i
    start, end = spans[index]
    sql = data[start:end].decode("utf-8", "surrogatepass")
    first = len(data[:start].decode("utf-8", "surrogatepass"))
    return Part(sql, first, first + len(sql), index + 1, len(spans))


def changes_data(sql: str) -> bool:
    """Whether the statement is of a kind that changes something.

    A word that is none of ClickHouse's is not: that is a syntax error, and the server's to say. (It also refuses by
    itself what changes data, where nobody said yes: ``readonly``.)
    """
    try:
        statement = read_statement(sql.encode("utf-8", "replace"))
    except UnterminatedError:
        return False  # nothing will run
    return statement.writes and (statement.first in _CHANGES or "INSERT" in statement.words)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column (from 1) of a character offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _spans(data: bytes) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    first: Token | None = None
    end = 0
    for token in tokens(data):
        if token.text == b";" and token.kind == "sign":
            if first is not None:
                spans.append((first.start, end))
            first = None
            continue
        first = first or token
        end = token.end
    if first is not None:
        spans.append((first.start, end))
    return spans
