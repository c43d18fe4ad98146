"""Applies ``clickhouse/*.sql`` statement by statement: what is missing is made, what is there is compared, nothing is
replaced.

A table that exists is compared with what its file would make, by the server itself: the statement is run under a
scratch name, and both are described. So neither formatting nor a server's own defaults make a difference.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.events import StepState
from pipeline.store.sql import split_statements, tokens

_SCRATCH = "cryptostreamx_wanted_"
_CREATES = re.compile(r"CREATE (TABLE|DATABASE) (?:IF NOT EXISTS )?([\w`\"]+(?: \. [\w`\"]+)?)", re.IGNORECASE)

Tell = Callable[[str, StepState, str], None]
"""Takes a line's name, its state, and the server's own words or what differs."""


@dataclass(frozen=True, slots=True)
class DdlStatement:
    """One statement of a DDL file."""

    file: str
    sql: str
    kind: str = ""
    """``table`` or ``database`` for a CREATE, else empty."""
    target: str = ""
    """What it makes: ``crypto`` or ``crypto.binance_trade``."""

    @property
    def name(self) -> str:
        """How the checklist calls it."""
        return f"{self.kind} {self.target}" if self.kind else f"{self.file}: {' '.join(self.sql.split()[:4])}"


def ddl_files(kind: str) -> list[Path]:
    """Return the DDL files of ``kind`` (``clickhouse`` or ``ksql``), in order: the checkout's, or the wheel's copy.

    Raises:
        FileNotFoundError: neither is there; the installation is broken.
    """
    package = Path(__file__).parents[1]
    for folder in (package.parent / kind, package / "ddl" / kind):
        if files := sorted(folder.glob("*.sql")):
            return files
    raise FileNotFoundError(f"no {kind}/*.sql, neither beside {package} nor in it: reinstall the package")


def read_statements(files: Iterable[Path]) -> list[DdlStatement]:
    """Split the files into statements and tell what each makes.

    Raises:
        UnterminatedError: a quote or comment in a file is not closed.
    """
    return [describe(path.name, sql) for path in files for sql in split_statements(path.read_text(encoding="utf-8"))]


def describe(file: str, sql: str) -> DdlStatement:
    """Tell what a statement makes."""
    words = " ".join(token.text.decode() for token, _ in zip(tokens(sql.encode()), range(8), strict=False))
    match = _CREATES.match(words)
    if match is None:
        return DdlStatement(file, sql)
    return DdlStatement(file, sql, match.group(1).lower(), re.sub(r"[`\" ]", "", match.group(2)))


def apply(client: Client, kind: str, tell: Tell) -> None:
    """Apply the files of ``kind``, telling each statement's result as it comes; one that fails stops no other."""
    for statement in read_statements(ddl_files(kind)):
        tell(statement.name, StepState.RUNNING, "")
        try:
            state, detail = apply_statement(client, statement)
        except ClickHouseError as error:
            state, detail = StepState.FAILED, str(error)
        tell(statement.name, state, detail)


def apply_statement(client: Client, statement: DdlStatement) -> tuple[StepState, str]:
    """Apply one statement; return ``DONE``, ``EXISTS``, or ``DIFFERENT`` with both sides in words.

    Raises:
        ClickHouseError: the server refuses it, or does not answer.
    """
    if statement.kind and client.command(f"EXISTS {statement.kind} {statement.target}") == 1:
        if statement.kind == "database":
            return StepState.EXISTS, ""
        differences = compare(client, statement)
        if differences:
            return StepState.DIFFERENT, f"left as it is: {'; '.join(differences)}"
        return StepState.EXISTS, ""
    client.command(statement.sql)
    return StepState.DONE, ""


def compare(client: Client, statement: DdlStatement) -> list[str]:
    """Return in words how the existing table differs from what the statement would make; empty when it does not.

    Raises:
        ClickHouseError: the server refuses the scratch table, or does not answer.
    """
    database, _, table = statement.target.rpartition(".")
    scratch = f"{_SCRATCH}{table}"
    place = f"{database}.{scratch}" if database else scratch
    first, last = _name_span(statement.sql)
    wanted_sql = statement.sql.encode()[:first] + place.encode() + statement.sql.encode()[last:]
    client.command(f"DROP TABLE IF EXISTS {place} SYNC")
    client.command(wanted_sql.decode())
    try:
        wanted, found = _shape(client, database, scratch), _shape(client, database, table)
    finally:
        client.command(f"DROP TABLE IF EXISTS {place} SYNC")
    names = [*wanted, *(name for name in found if name not in wanted)]
    differences = [
        f"{name}: the file says {wanted.get(name, 'nothing')}, the table has {found.get(name, 'nothing')}"
        for name in names
        if wanted.get(name) != found.get(name)
    ]
    order = [name for name in found if name in wanted]
    if order != [name for name in wanted if name in found]:
        differences.append(f"the order of columns: the table has {', '.join(order)}")
    return differences


def _shape(client: Client, database: str, table: str) -> dict[str, str]:
    """Describe a table: each column, its engine and its keys."""
    where = "database = {database:String} AND {column:Identifier} = {table:String}"
    known = {"database": database or client.database or "default", "table": table}
    shape = {
        f"column {name}": " ".join(part for part in (kind, default, expression) if part)
        for name, kind, default, expression in client.query(
            f"SELECT name, type, default_kind, default_expression FROM system.columns WHERE {where} ORDER BY position",  # noqa: S608
            parameters=known | {"column": "table"},
        ).result_rows
    }
    keys = ("engine", "partition_key", "sorting_key")
    rows = client.query(
        f"SELECT {', '.join(keys)} FROM system.tables WHERE {where}",  # noqa: S608 - fixed names
        parameters=known | {"column": "name"},
    ).result_rows
    return shape | {key.replace("_", " "): value for key, value in zip(keys, rows[0], strict=True)}


def _name_span(sql: str) -> tuple[int, int]:
    """Return where the table's name stands in a CREATE TABLE statement, in bytes."""
    found = list(tokens(sql.encode()))
    at = 2 if found[2].word != "IF" else 5
    last = at + 2 if found[at + 1].text == b"." else at
    return found[at].start, found[last].end
