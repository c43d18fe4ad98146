"""A ksqlDB statement: what it makes, and whether it says the same as another one. Pure.

The server keeps a statement as its own formatter writes it: an alias before each column, parentheses around each
operation, ``MINUTES`` for ``MINUTE``, properties it added to the WITH clause. What is compared is what is left once all
that has no say is taken away from both sides.
"""

import re
from dataclasses import dataclass

_COMMENT = re.compile(r"--[^\n]*")
_TOKEN = re.compile(r"'(?:[^']|'')*'|`[^`]*`|\"[^\"]*\"|\w+|[^\s\w]")
_CREATE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:SOURCE\s+)?(STREAM|TABLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?[`\"]?(\w+)[`\"]?",
    re.IGNORECASE,
)
_WITH = re.compile(r"\bWITH\s*\(((?:'(?:[^']|'')*'|[^()'])*)\)", re.IGNORECASE)
_PROPERTY = re.compile(r"(\w+)\s*=\s*('(?:[^']|'')*'|[^,\s]+)")
_UNITS = {f"{unit}S": unit for unit in ("SECOND", "MINUTE", "HOUR", "DAY", "MILLISECOND")}
_SILENT = {"(", ")", ";", "AS", "IF", "NOT", "EXISTS"}
"""Tokens that the formatter adds or leaves out."""
_OURS = ("KAFKA_TOPIC", "KEY_FORMAT", "VALUE_FORMAT", "TIMESTAMP", "VALUE_SCHEMA_FULL_NAME")
"""Properties that a file sets; the server adds others (PARTITIONS, REPLICAS, CLEANUP_POLICY, RETENTION_MS)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One CREATE statement of a file."""

    file: str
    sql: str
    kind: str
    """``stream`` or ``table``."""
    target: str
    """As in the file; ksqlDB's names are upper case unless quoted."""

    @property
    def name(self) -> str:
        """How the checklist calls it."""
        return f"{self.kind} {self.target}"

    @property
    def is_query(self) -> bool:
        """Whether it starts a persistent query (CREATE … AS SELECT)."""
        return bool(re.search(r"\bAS\s+SELECT\b", self.sql, re.IGNORECASE))


def read_statements(file: str, text: str) -> list[Statement]:
    """Split a file into its statements.

    Raises:
        ValueError: one of them creates neither a stream nor a table.
    """
    statements = []
    for part in _split(_COMMENT.sub("", text)):
        match = _CREATE.match(part)
        if match is None:
            raise ValueError(f"{file}: not a CREATE STREAM or CREATE TABLE: {' '.join(part.split()[:6])}")
        statements.append(Statement(file, part + ";", match.group(1).lower(), match.group(2)))
    return statements


def _split(text: str) -> list[str]:
    """Split at semicolons outside quotes."""
    parts, part = [], ""
    for piece in re.findall(r"'(?:[^']|'')*'|`[^`]*`|;|[^;'`]+", text):
        if piece == ";":
            parts.append(part.strip())
            part = ""
        else:
            part += piece
    return [found for found in (*parts, part.strip()) if found]


def differences(wanted: str, found: str) -> list[str]:
    """Return in words how the server's statement differs from the file's; empty where both say the same."""
    result: list[str] = []
    ours, theirs = _properties(wanted), _properties(found)
    result.extend(
        f"{name}: the file says {ours.get(name, 'nothing')}, the server has {theirs.get(name, 'nothing')}"
        for name in _OURS
        if ours.get(name) != theirs.get(name)
    )
    left, right = meaning(wanted), meaning(found)
    if left != right:
        at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
        result.append(f"the file says … {_around(left, at)} …, the server has … {_around(right, at)} …")
    return result


def _around(words: list[str], at: int) -> str:
    return " ".join(words[max(0, at - 3) : at + 4]) or "nothing"


def _properties(sql: str) -> dict[str, str]:
    match = _WITH.search(sql)
    return {name.upper(): value for name, value in _PROPERTY.findall(match.group(1))} if match else {}


def meaning(sql: str) -> list[str]:
    """Return the tokens of a statement that have a say, but for its WITH clause."""
    words = [_plain(token) for token in _TOKEN.findall(_WITH.sub(" ", _COMMENT.sub("", sql)))]
    source = next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "FROM"), None)
    kept: list[str] = []
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
            continue
        if source is not None and word == source and words[index + 1 : index + 2] == ["."]:
            skip = True  # the alias before a column
            continue
        if word == source and kept[-2:-1] == ["FROM"]:
            continue  # FROM X X: the alias after the name
        if word.startswith("`") and kept[-1:] == [word]:
            continue  # a column called by its own name
        if word not in _SILENT:
            kept.append(word)
    return kept


def _plain(token: str) -> str:
    if token.startswith(("'", "`", '"')):
        inner = token[1:-1]
        return token if token.startswith("'") or inner != inner.upper() else inner
    word = token.upper()
    return _UNITS.get(word, word)
