"""Just enough of ClickHouse's lexer to tell where statements, comments, strings and an insert's data begin and end.

It knows no grammar beyond that and never changes a byte: what is sent on is what was written. It works on bytes, for
the data after ``FORMAT Native`` are no text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""
      (?P<blank>   \s+ | --[^\n]* | \#[ !][^\n]* | /\*.*?\*/ )
    | (?P<quoted>  '(?:[^'\\]++|\\.|'')*+' | "(?:[^"\\]++|\\.|"")*+" | `(?:[^`\\]++|\\.|``)*+`
                 | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<open>    ['"`] | /\* )
    | (?P<word>    [A-Za-z_]\w* )
    | (?P<number>  \d[\w.]* )
    | (?P<sign>    . )
    """,
    re.VERBOSE | re.DOTALL,
)

_READS = {"SELECT", "WITH", "FROM", "(", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "SET", "USE"}
_ANSWERS = _READS - {"SET", "USE"} | {"KILL"}
_STREAMS = {"SELECT", "WITH", "FROM", "("}


class UnterminatedError(ValueError):
    """A quote or a comment is opened and never closed."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece that means something: neither space nor comment."""

    kind: str
    """``word``, ``quoted``, ``number`` or ``sign``."""
    text: bytes
    start: int
    end: int
    depth: int
    """Parentheses open around it."""

    @property
    def word(self) -> str:
        """A word or sign in upper case; the empty string for quoted text, which is never a keyword."""
        return self.text.decode("latin-1").upper() if self.kind != "quoted" else ""


def tokens(sql: bytes) -> Iterator[Token]:
    """Yield the tokens of ``sql``, lazily: binary data after the last one asked for is never looked at.

    Raises:
        UnterminatedError: a quote or comment is not closed.
    """
    depth = 0
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup if match.lastgroup != "tag" else "quoted"
        if kind == "blank":
            continue
        if kind == "open":
            raise UnterminatedError(f"{match.group().decode()} at byte {match.start()} is never closed")
        text = match.group()
        if text == b")":
            depth -= 1
        assert kind is not None
        yield Token(kind, text, match.start(), match.end(), depth)
        if text == b"(":
            depth += 1


def split_statements(script: str) -> list[str]:
    """Split a script at its semicolons; comments inside a statement stay, those around it go.

    Raises:
        UnterminatedError: a quote or comment is not closed.
    """
    data = script.encode()
    found: list[str] = []
    start: int | None = None
    end = 0
    for token in tokens(data):
        if token.text == b";" and token.kind == "sign":
            if start is not None:
                found.append(data[start:end].decode())
            start = None
            continue
        start = token.start if start is None else start
        end = token.end
    if start is not None:
        found.append(data[start:end].decode())
    return found


@dataclass(frozen=True, slots=True)
class Statement:
    """What has to be known of one statement before it is run."""

    first: str
    """The first word in upper case, empty for an empty statement."""
    format: str | None = None
    """Its FORMAT clause."""
    head: bytes | None = None
    """Of an INSERT whose data follow: what stands before SETTINGS and FORMAT (or VALUES, which is a format too)."""
    clauses: bytes = b""
    """Of such an INSERT: its SETTINGS."""
    data_start: int = 0
    """Of such an INSERT: where the data begin."""
    writes: bool = False
    """It is not of the kinds that ClickHouse runs for a GET."""
    several: bool = False
    """More than one statement."""
    words: frozenset[str] = frozenset()
    """Its words outside parentheses, in upper case."""

    @property
    def answers(self) -> bool:
        """It gives back rows (even if none)."""
        return self.first in _ANSWERS

    @property
    def streams(self) -> bool:
        """Its result may be large and can be read block by block."""
        return self.first in _STREAMS and "TOTALS" not in self.words


def read_statement(sql: bytes) -> Statement:
    """Tell what kind of statement this is, where its FORMAT is, and where an insert's data begin.

    Raises:
        UnterminatedError: a quote or comment is not closed.
    """
    first = ""
    words: set[str] = set()
    before: Token | None = None
    format_at: Token | None = None
    format_name: str | None = None
    settings_at: int | None = None
    ended = False
    for token in tokens(sql):
        if token.text == b";" and token.kind == "sign":
            ended = True
            continue
        if ended:
            return Statement(first, several=True)
        first = first or token.word
        if token.depth == 0:
            if before is not None and before.depth == 0 and before.word == "FORMAT" and token.kind == "word":
                format_at, format_name = before, token.text.decode()
                if first == "INSERT" and "SELECT" not in words:
                    return _insert(sql, settings_at, before.start, format_name, _data_start(sql, token.end), words)
            elif format_at is not None and token.word != "SETTINGS" and "SETTINGS" not in words:
                format_at = format_name = None  # it was a name, not the clause
            elif first == "INSERT" and token.word == "VALUES" and "SELECT" not in words:
                return _insert(sql, settings_at, token.start, "Values", token.end, words)
            elif token.word == "SETTINGS":
                settings_at = token.start
            # A table may be called format: then the word follows INTO, TABLE or a dot.
            if not (token.word == "FORMAT" and before is not None and before.word in ("INTO", "TABLE", ".")):
                words.add(token.word)
                before = token
            else:
                before = Token("quoted", token.text, token.start, token.end, token.depth)
        else:
            before = token
    writes = bool(first) and (first not in _READS or "INSERT" in words)
    return Statement(first, format_name, writes=writes, words=frozenset(words))


def _insert(
    sql: bytes, settings_at: int | None, end: int, data_format: str, data_start: int, words: set[str]
) -> Statement:
    head_end = end if settings_at is None else settings_at
    clauses = sql[head_end:end]
    return Statement("INSERT", data_format, sql[:head_end], clauses, data_start, writes=True, words=frozenset(words))


def _data_start(sql: bytes, end: int) -> int:
    """Data begin after the first line break behind the format's name, or after the blanks where there is none."""
    match = re.compile(rb"[ \t\f]*;?[ \t\f]*(\r?\n)?").match(sql, end)
    assert match is not None
    return match.end()
