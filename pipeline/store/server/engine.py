"""The engine: one chdb database folder, any number of connections to it, each with settings and a database of its own.

Everything here blocks and may be called from any thread; the HTTP side calls it through its thread pool. It knows
nothing of HTTP. A request gets a fresh connection (0.3 ms), so that nothing leaks from one to the next; a session
keeps one.
"""

import fcntl
import functools
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from pipeline.store.server.errors import engine_error, refusal

_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)


class LockedError(RuntimeError):
    """Another process has the folder open."""


@dataclass(slots=True)
class Tally:
    """What a statement read and wrote, for ``X-ClickHouse-Summary``."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    started: int = 0

    def summary(self) -> str:
        """The header's JSON: every number as a string, as ClickHouse writes it."""
        elapsed = time.monotonic_ns() - self.started
        fields = {
            "read_rows": self.read_rows,
            "read_bytes": self.read_bytes,
            "written_rows": self.written_rows,
            "written_bytes": self.written_bytes,
            "total_rows_to_read": 0,
            "result_rows": self.result_rows,
            "result_bytes": self.result_bytes,
            "elapsed_ns": elapsed,
        }
        return json.dumps({name: str(value) for name, value in fields.items()}, separators=(",", ":"))

    def add(self, result: Any) -> None:
        """Count one result (or one block of a streamed result) of the binding."""
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.written_rows += result.rows_written()
        self.written_bytes += result.bytes_written()
        self.result_rows += result.rows_read()
        self.result_bytes += result.size()


class Connection:
    """One connection of the engine; calls on it run one after the other, from whichever thread they come."""

    def __init__(self, engine: "Engine", raw: Any) -> None:
        self._engine = engine
        self._raw = raw
        self._lock = threading.Lock()
        self._open: Any = None  # the streamed result
        self.tally = Tally(started=time.monotonic_ns())

    def prepare(self, database: str | None, settings: Mapping[str, str]) -> None:
        """Choose the database and apply settings, for this connection.

        Raises:
            ServerError: no such database or setting, or a value that it does not take.
        """
        if database:
            quoted = database.replace("\\", "\\\\").replace("`", "\\`")
            self._call(lambda: self._raw.query(f"USE `{quoted}`"))
        if settings:
            for name in settings:
                if not _SETTING.fullmatch(name):
                    raise refusal("BAD_REQUEST_PARAMETER", f"{name[:80]!r} is no name of a setting")
            pairs = ", ".join(f"{name} = {_quoted(value)}" for name, value in settings.items())
            self._call(lambda: self._raw.query(f"SET {pairs}"))

    def settings(self, names: list[str]) -> dict[str, str | None]:
        """Return the values of these settings; None for those at their default."""
        listed = ", ".join(_quoted(name) for name in names)
        sql = f"SELECT name, value, changed FROM system.settings WHERE name IN ({listed})"  # noqa: S608 - quoted above
        lines = self._call(lambda: self._raw.query(sql, "JSONEachRow").bytes()).splitlines()
        rows = [json.loads(line) for line in lines]
        return dict.fromkeys(names) | {row["name"]: row["value"] if row["changed"] else None for row in rows}

    def restore(self, values: Mapping[str, str | None]) -> None:
        """Put settings back to what ``settings`` returned.

        Raises:
            ServerError: one cannot be put back (readonly was set).
        """
        pairs = ", ".join(f"{name} = {'DEFAULT' if old is None else _quoted(old)}" for name, old in values.items())
        self._call(lambda: self._raw.query(f"SET {pairs}"))

    def run(self, sql: bytes, default_format: str, parameters: Mapping[str, str]) -> bytes:
        """Run one statement and return its whole result.

        Raises:
            ServerError: the engine's error.
        """
        result = self._call(lambda: self._raw.query(sql, default_format, params=dict(parameters)))
        self.tally.add(result)
        data = result.bytes()
        return bytes(data) if data else b""

    def begin_stream(self, sql: bytes, default_format: str, parameters: Mapping[str, str]) -> None:
        """Start one SELECT whose result is then fetched block by block.

        Raises:
            ServerError: the engine's error.
        """
        self._open = self._call(lambda: self._raw.send_query(sql, default_format, params=dict(parameters)))

    def fetch(self) -> bytes:
        """Return the next blocks' bytes, empty at the end.

        Raises:
            ServerError: the query failed half-way.
        """
        data = b""
        while not data and (block := self._call(self._open.fetch)) is not None:
            self.tally.add(block)
            data = bytes(block.bytes() or b"")
        return data

    def insert(
        self, head: bytes, clauses: bytes, data_format: str, data: IO[bytes], parameters: Mapping[str, str]
    ) -> None:
        """Insert what ``data`` holds, from its beginning; when this returns, the rows outlive this process.

        ``clauses`` are the statement's SETTINGS, or empty. The engine reads the data as a file: its ``send_insert``
        acknowledges rows that a constraint, a full disk or a broken view then refuses, and data within a statement end
        at the first blank line. The name is the descriptor's, which holds no character that the engine would take for
        a pattern.

        Raises:
            ServerError: the engine's error; a block is inserted as a whole or not at all.
        """
        data.seek(0)
        source = f" FROM INFILE '/dev/fd/{data.fileno()}' COMPRESSION 'none' ".encode()
        self.run(head + source + clauses + f" FORMAT {data_format}".encode(), "Null", parameters)

    def end(self) -> None:
        """End what is still under way: a stream that nobody read to its end.

        Raises:
            ServerError: the engine cannot cancel it.
        """
        if self._open is not None:
            self._call(self._open.cancel)
            self._open = None

    def close(self) -> None:
        """Give the connection back to the engine."""
        with self._lock:
            self._raw.close()

    def _call(self, action: Callable[[], Any]) -> Any:
        with self._lock:
            try:
                return action()
            except (RuntimeError, ValueError) as error:  # ChdbError is a RuntimeError
                raise engine_error(error, self._engine.version) from error


class Engine:
    """The engine over one folder, which it holds alone until it is closed."""

    def __init__(self, path: Path) -> None:
        """Open the folder, making it if it is not there.

        Raises:
            LockedError: another process has it open.
            ServerError: the engine cannot work on it.
        """
        import chdb  # a third of a second and 200 MB: --help does without

        connect: Callable[[str], Any] = chdb.connect
        self._connect: Callable[[], Any] = functools.partial(connect, str(path))
        self.path = path
        self.version = ""
        try:
            self._first = self._connect()
        except RuntimeError as error:
            # The error names no reason; the engine's lock does (its StatusFile, which also holds the owner's pid).
            if (pid := _owner(path / "status")) is not None:
                raise LockedError(
                    f"{path} is open in another process (pid {pid}): another instance, or one that is still stopping. "
                    f"The engine says: {error}"
                ) from error
            raise engine_error(error, "unknown") from error
        self.version, self.timezone = self._first.query("SELECT version(), timezone()", "TSV").bytes().decode().split()

    def connect(self) -> Connection:
        """Open a connection with the engine's default settings."""
        try:
            return Connection(self, self._connect())
        except RuntimeError as error:
            raise engine_error(error, self.version) from error

    def kill_all(self) -> None:
        """Cancel every running query."""
        killed = self._first.query("KILL QUERY WHERE query_id != queryID()", "TSV").bytes()
        if killed:
            logging.getLogger(__name__).warning("running queries were cancelled: %d", len(killed.splitlines()))

    def close(self) -> None:
        """Close the engine, writing what it has to write."""
        self._first.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _owner(status: Path) -> str | None:
    """Return the pid in a status file that another process holds locked; None where none does."""
    try:
        with status.open(encoding="utf-8", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.readline().removeprefix("PID:").strip() or "unknown"
    except FileNotFoundError:
        return None
    return None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
