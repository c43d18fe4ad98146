"""Applies ``ksql/*.sql``, one statement at a time and in order: what is missing is made, what is there is compared.

What differs is shown with both sides and left alone. Only when a person asks for it is it replaced: its query is
terminated, then it and what reads from it are dropped and made again, in that order, as ksqlDB refuses OR REPLACE of a
windowed table. The topics stay, with the records in them.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pipeline.events import StepState
from pipeline.windows.ksqldb.client import KsqlClient, KsqlError
from pipeline.windows.ksqldb.statement import Statement, differences, read_statements

FROM_THE_START = {"ksql.streams.auto.offset.reset": "earliest"}
"""A window of trades that came before the query was made is a window too."""
START_TIMEOUT_S = 120.0
"""A server that is starting refuses everything, for as long as it replays its command topic."""
RETRY_S = 1.0
_MISSING = ("Could not find", "does not exist")

Tell = Callable[[str, StepState, str], None]
"""Takes a line's name, its state, and the server's own words or what differs."""


def statements(files: Iterable[Path]) -> list[Statement]:
    """Return the statements of the files, in order.

    Raises:
        ValueError: a file holds something else.
    """
    return [found for path in files for found in read_statements(path.name, path.read_text(encoding="utf-8"))]


def wait_ready(client: KsqlClient, patience: float = START_TIMEOUT_S, pause: float = RETRY_S) -> dict[str, Any]:
    """Return ``/info`` once the server takes statements.

    Raises:
        KsqlError: it does not within ``patience`` seconds, or refuses to say.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            info = client.info()
            if info.get("serverStatus", "RUNNING") == "RUNNING":
                return info
            error = KsqlError(503, f"the server is {info['serverStatus']}", client.url)
        except KsqlError as refused:
            if not refused.not_ready:
                raise
            error = refused
        if time.monotonic() > deadline:
            raise error
        time.sleep(pause)


class Ddl:
    """The statements of the files, held against one server."""

    def __init__(self, client: KsqlClient, wanted: list[Statement]) -> None:
        self._client = client
        self._wanted = wanted
        self._last_command: int | None = None

    def apply(self, tell: Tell) -> None:
        """Make what is missing, compare the rest, and tell each statement's result.

        A statement that fails ends it: those after it read from what it makes.
        """
        for statement in self._wanted:
            tell(statement.name, StepState.RUNNING, "")
            try:
                state, detail = self._apply(statement)
            except KsqlError as error:
                tell(statement.name, StepState.FAILED, str(error))
                return
            tell(statement.name, state, detail)

    def replace(self, tell: Tell) -> None:
        """Drop what differs and what was made after it, in reverse order, and make all of it again.

        Only ever a person's choice: windows that are still open are lost with the query's state.
        """
        different = [statement for statement in self._wanted if self._compare(statement)]
        if different:
            first = self._wanted.index(different[0])
            for statement in reversed(self._wanted[first:]):
                self._drop(statement)
        self.apply(tell)

    def _apply(self, statement: Statement) -> tuple[StepState, str]:
        found = self._compare(statement)
        if found is None:
            self._run(statement.sql, FROM_THE_START if statement.is_query else {})
            return StepState.DONE, ""
        if found:
            return StepState.DIFFERENT, f"left as it is: {'; '.join(found)}"
        return StepState.EXISTS, ""

    def _compare(self, statement: Statement) -> list[str] | None:
        """Return how what is there differs from the file; None where there is nothing."""
        description = self._describe(statement.target)
        if description is None:
            return None
        is_, wanted = str(description.get("type", "")).lower(), statement.kind
        if is_ != wanted:
            return [f"the file makes a {wanted}, the server has a {is_}"]
        return differences(statement.sql, str(description.get("statement", "")))

    def _describe(self, name: str) -> dict[str, Any] | None:
        try:
            found = self._client.entity(f"DESCRIBE {name} EXTENDED;", "sourceDescription")
        except KsqlError as error:
            if error.code == 40001 and any(words in error.message for words in _MISSING):
                return None
            raise
        return dict(found)

    def _drop(self, statement: Statement) -> None:
        description = self._describe(statement.target)
        if description is None:
            return
        for query in description.get("writeQueries", []):
            self._run(f"TERMINATE {query['id']};")
        self._run(f"DROP {statement.kind.upper()} IF EXISTS {statement.target};")

    def _run(self, sql: str, properties: dict[str, str] | None = None) -> None:
        for entity in self._client.run(sql, properties, self._last_command):
            number = entity.get("commandSequenceNumber")
            if isinstance(number, int) and number >= 0:
                self._last_command = number
