"""Runs one statement that a person wrote against ClickHouse, as it was written, over HTTP.

Nothing is put into the statement: the database, the form of dates (UTC), the most rows and that nothing may be changed
are settings of the request. ``readonly=2`` makes the server itself refuse what changes data, unless the person said
yes. The server holds its answer back until the query has ended (``wait_end_of_query``), so that an error comes as an
error and the figures are final. Coroutines; nothing here blocks.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from pipeline.feed.rest import is_loopback
from pipeline.settings import Settings
from pipeline.store.result import Table
from pipeline.store.sql import Statement, UnterminatedError, read_statement
from pipeline.text import clean

DATABASE = "crypto"
ROWS = 100_000
"""Rows that are kept."""
RESULT_BYTES = 256 * 1024 * 1024
"""A larger result is refused by the server: no query takes the application's memory."""
SECONDS = 300
"""The longest a query may take."""
CONNECT_SECONDS = 5
KILL_TRIES = 10
KILL_PAUSE = 0.2
MESSAGE_LIMIT = 4000
UNEXPECTED = "ClickHouse's answer cannot be read"

_HEAD = re.compile(r"Code: (\d+)\. DB::Exception: ", re.ASCII)
_TAIL = re.compile(r"\s*\(([A-Z][A-Z0-9_]+)\)\s*(\(version [^)]*(\([^)]*\))?\))?\s*$")
_POSITION = re.compile(r"failed at position (\d+)", re.ASCII)
_FORMAT = "TabSeparatedWithNamesAndTypes"


class QueryError(RuntimeError):
    """ClickHouse refused a statement; ``str()`` is its own message, cleaned (line breaks stay)."""

    def __init__(self, message: str, code: int | None = None, name: str = "", position: int | None = None) -> None:
        super().__init__(clean(message, MESSAGE_LIMIT, multiline=True))
        self.code = code
        self.name = name
        """ClickHouse's name of the error: ``UNKNOWN_TABLE``; empty where none was given."""
        self.position = position
        """Byte of the statement, from 1, that a syntax error names."""

    @property
    def refuses_change(self) -> bool:
        """Whether the statement was refused only because nobody said that it may change something."""
        return self.name == "READONLY" and "execute query in readonly mode" in str(self)


class AwayError(RuntimeError):
    """ClickHouse does not answer, or the connection broke; what it means for the query is not known."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What ClickHouse said of a query that ended; None where it did not say."""

    read_rows: int | None = None
    written_rows: int | None = None
    result_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A statement's result."""

    table: Table
    summary: Summary
    elapsed: float
    """Seconds from asking to the last row."""


async def run(settings: Settings, sql: str, query_id: str, *, confirmed: bool = False, rows: int = ROWS) -> Answer:
    """Run one statement and keep up to ``rows`` rows of its result. Cancelling the coroutine closes the connection.

    ``query_id`` (any unique text) is for ``cancel``; ``confirmed`` allows a statement that changes data.

    Raises:
        QueryError: ClickHouse refuses it, or it fails, or takes longer than ``SECONDS``.
        AwayError: no connection, or it broke.
    """
    statement = parse(sql)
    parameters = reading(query_id) | {"default_format": _FORMAT, "max_result_bytes": str(RESULT_BYTES)}
    if confirmed:
        # No limit on what is written: an INSERT … SELECT must not be cut.
        del parameters["readonly"], parameters["max_result_bytes"]
    if statement.streams:
        # One more than is kept tells whether there are more. Only the outermost query is limited by it, and ClickHouse
        # stops reading there; in an EXPLAIN it would show.
        parameters["limit"] = str(rows + 1)
    table = Table(rows, heads=statement.format is None, title=f"FORMAT {statement.format}")
    started = time.perf_counter()
    async with ask(settings, sql, parameters) as response:
        async for chunk in response.aiter_bytes():
            if not table.feed(chunk):
                break
        table.close()
        return Answer(table, summary(response.headers), time.perf_counter() - started)


async def cancel(settings: Settings, query_id: str) -> bool:
    """Kill a running query; return whether the server knew it. One that was just sent may not be known at once.

    Raises:
        QueryError: the server refuses to.
        AwayError: no connection, or it broke.
    """
    # The local engine gives queries ids of its own: there the comment tells which one it is.
    sql = "KILL QUERY WHERE query_id = {id:String} OR Settings['log_comment'] = {id:String}"
    for last in range(KILL_TRIES, 0, -1):
        async with ask(settings, sql, {"param_id": query_id}) as response:
            if (await response.aread()).strip():
                return True
        if last > 1:
            await asyncio.sleep(KILL_PAUSE)
    return False


def parse(sql: str) -> Statement:
    """Look at a statement as far as running it takes.

    Raises:
        QueryError: it is empty, or there are several.
    """
    try:
        statement = read_statement(sql.encode("utf-8", "replace"))
    except UnterminatedError:
        return Statement("SELECT")  # ClickHouse words the error best
    if not statement.first:
        raise QueryError("there is no statement to run")
    if statement.several:
        raise QueryError("these are several statements: one is run at a time")
    return statement


def reading(query_id: str) -> dict[str, str]:
    """Return the parameters of a query that changes nothing."""
    return {
        "readonly": "2",
        "query_id": query_id,
        "log_comment": query_id,
        "max_execution_time": str(SECONDS),
        "date_time_output_format": "iso",
        "session_timezone": "UTC",
        # A connection that is closed ends the query.
        "cancel_http_readonly_queries_on_client_close": "1",
    }


@asynccontextmanager
async def ask(settings: Settings, sql: str, parameters: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
    """Send a statement; the body of the response is still to be read.

    Raises:
        QueryError: ClickHouse's error.
        AwayError: no connection, or it broke, also while the body is read within the context.
    """
    url = settings.clickhouse_url
    if not url:
        raise AwayError("ClickHouse's address is not known yet")
    password = settings.clickhouse_password
    headers = {"X-ClickHouse-User": settings.clickhouse_username}
    if password is not None:
        headers["X-ClickHouse-Key"] = password.get_secret_value()
    timeout = httpx.Timeout(SECONDS + 30, connect=CONNECT_SECONDS)
    trust = not is_loopback(url)
    query = {"database": DATABASE, "wait_end_of_query": "1", **parameters}
    try:
        # In a thread: it reads certificates from disk.
        made = await asyncio.to_thread(httpx.AsyncClient, timeout=timeout, headers=headers, trust_env=trust)
        async with (
            made as client,
            client.stream("POST", url, params=query, content=sql.encode("utf-8", "replace")) as response,
        ):
            if not response.is_success:
                await response.aread()
                raise refused(response.text)
            yield response
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        where = urlsplit(url)  # without the user that the address may hold
        place = clean(f"{where.scheme}://{where.hostname}:{where.port}")
        raise AwayError(
            f"ClickHouse does not answer at {place}: {clean(str(error) or type(error).__name__)}"
        ) from error


def refused(text: str) -> QueryError:
    """Turn the body of an error into its parts; a body that is not ClickHouse's stays whole."""
    head = _HEAD.search(text)
    if head is None:
        return QueryError(text.strip() or UNEXPECTED)
    message = text[head.end() :]
    # An error that went through several layers repeats its head.
    while (again := _HEAD.match(message)) is not None:
        message = message[again.end() :]
    name = ""
    while (tail := _TAIL.search(message)) is not None and name in ("", tail.group(1)):
        name = tail.group(1)
        message = message[: tail.start()].rstrip(" .\n")
    position = _POSITION.search(message)
    return QueryError(message.strip(), int(head.group(1)), name, int(position.group(1)) if position else None)


def summary(headers: Mapping[str, str]) -> Summary:
    """Read the summary that ClickHouse sends in a header; what is not there stays unknown."""
    try:
        said = json.loads(headers.get("X-ClickHouse-Summary", "{}"))
        read, written, result = (
            int(said[key]) if key in said else None for key in ("read_rows", "written_rows", "result_rows")
        )
    except (ValueError, TypeError):
        return Summary()
    return Summary(read, written, result)
