"""ClickHouse's HTTP interface as an ASGI application over the engine.

It knows the protocol (what goes where in a request, which headers and statuses an answer has); statements are read by
``pipeline.store.sql`` only as far as that takes, and run by the engine. Blocking calls go to a thread pool.
"""

import asyncio
import functools
import logging
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, ParamSpec, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pipeline.store.server.ask import Ask, authenticate, read_ask, read_form
from pipeline.store.server.body import no_body, plain_body, read_into
from pipeline.store.server.compression import Compressor, accepted_coding
from pipeline.store.server.engine import Connection, Engine
from pipeline.store.server.errors import ServerError, refusal
from pipeline.store.server.heads import HEADED, HeadOnce
from pipeline.store.server.sessions import Lease, Sessions
from pipeline.store.sql import Statement, UnterminatedError, read_statement

DISPLAY_NAME = "cryptostreamx"
THREADS = 8
HEAD_BYTES = 256 * 1024
"""An INSERT's statement stands within this (ClickHouse's max_query_size); its data may be of any length."""
QUERY_BYTES = 64 * 1024 * 1024
"""Statements that are held whole: everything but inserts with a FORMAT."""
READ_BYTES = 1024 * 1024
SPOOL_BYTES = 16 * 1024 * 1024
"""An answer that is waited for (wait_end_of_query) goes to a file beyond this."""

# Formats whose blocks can be written one after the other; others have an end of the whole, or a head (see heads.py).
_BLOCKWISE = {
    "Native", "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "CSV", "RowBinary", "JSONEachRow", "JSONLines",
    "NDJSON", "JSONCompactEachRow", "TSKV", "Null",
}  # fmt: skip
_CONTENT_TYPES = {
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
}

_log = logging.getLogger(__name__)


P = ParamSpec("P")
T = TypeVar("T")


class Interface:
    """The routes, over one engine. ``user`` and ``password`` are the configured ones; no password: none is asked."""

    def __init__(self, engine: Engine, user: str = "default", password: str = "") -> None:
        self._engine = engine
        self._user = user
        self._password = password
        self._sessions = Sessions(engine)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="query")

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/ping", self._ping, methods=["GET"]),
                Route("/", self._query, methods=["GET", "POST"]),
                Route("/{path:path}", self._unknown, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
            ]
        )

    def close(self) -> None:
        """Cancel what still runs, and give every connection back."""
        # A request that was given up leaves its query running in a thread.
        self._engine.kill_all()
        self._threads.shutdown()
        self._sessions.close()

    async def _ping(self, _: Request) -> Response:
        return PlainTextResponse("Ok.\n", media_type="text/html; charset=UTF-8")

    async def _unknown(self, request: Request) -> Response:
        # The words of ClickHouse's NotFoundHandler.
        words = (
            f"There is no handle {request.url.path}\n\nUse / or /ping for health checks.\n"
            "Send queries from your program with POST method or GET /?query=...\n"
        )
        return PlainTextResponse(words, 404)

    async def _query(self, request: Request) -> Response:
        ask = Ask()
        try:
            ask = read_ask(request.query_params.multi_items(), request.headers)
            authenticate(ask, self._user, self._password)
            return await self._answer(request, ask)
        except ServerError as error:
            return self._refused(ask, error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    async def _answer(self, request: Request, ask: Ask) -> Response:
        body = plain_body(request)
        content_type = request.headers.get("content-type", "")
        if content_type.lower().startswith("multipart/form-data"):
            form = bytearray()
            await read_into(body, form, QUERY_BYTES)
            read_form(ask, content_type, bytes(form))
            body = no_body()
        if request.method in ("GET", "HEAD") and not ask.query:
            return PlainTextResponse("Ok.\n")
        sql = bytearray(ask.query.encode("utf-8", "surrogateescape"))
        if sql:
            sql += b"\n"
        ended = await read_into(body, sql, HEAD_BYTES, stop=True)
        statement = _statement(sql)
        if statement.head is None and not ended:
            await read_into(body, sql, QUERY_BYTES)
            statement = _statement(sql)
        self._check(statement, request.method)
        lease = await self._run(self._sessions.lease, ask)
        try:
            if statement.head is not None:
                await self._insert(ask, lease, statement, sql, body)
                response = Response(headers=self._headers(ask, lease))
            elif statement.streams and (statement.format or ask.default_format) in _BLOCKWISE | HEADED.keys():
                return await self._stream(request, ask, lease, statement, bytes(sql))
            else:
                response = await self._whole(request, ask, lease, statement, bytes(sql))
        except BaseException:
            self._later(lease.release)
            raise
        await self._run(lease.release)
        return response

    def _check(self, statement: Statement, method: str) -> None:
        if not statement.first:
            raise refusal("SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query.")
        if statement.several:
            raise refusal("SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed).")
        if statement.writes and method != "POST":
            message = f"default: Cannot execute query in readonly mode: {statement.first} needs POST, not {method}."
            raise refusal("READONLY", message)
        if "OUTFILE" in statement.words:
            raise refusal("INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed")
        if statement.first == "INSERT" and "INPUT" in statement.words:
            raise refusal("NOT_IMPLEMENTED", "INSERT ... SELECT FROM input() is not supported here")
        if "INFILE" in statement.words:
            raise refusal("UNKNOWN_TYPE_OF_QUERY", "Query has infile and was send directly to server")

    async def _insert(
        self, ask: Ask, lease: Lease, statement: Statement, sql: bytearray, body: AsyncIterator[bytes]
    ) -> None:
        """Gather the data in a file that has no name, so that an insert of any size takes little memory."""
        assert statement.head is not None
        assert statement.format is not None
        with tempfile.TemporaryFile(dir=self._engine.path) as data:
            data.write(sql[statement.data_start :])
            async for chunk in body:
                data.write(chunk)
            await self._run(
                lease.connection.insert, statement.head, statement.clauses, statement.format, data, ask.parameters
            )

    async def _whole(self, request: Request, ask: Ask, lease: Lease, statement: Statement, sql: bytes) -> Response:
        data = await self._run(lease.connection.run, sql, ask.default_format, ask.parameters)
        compressor = _compressor(request, ask)
        if compressor is not None and data:
            data = compressor(data) + compressor.finish()
        else:
            compressor = None
        return Response(data, headers=self._headers(ask, lease, statement, compressor))

    async def _stream(self, request: Request, ask: Ask, lease: Lease, statement: Statement, sql: bytes) -> Response:
        connection = lease.connection
        await self._run(connection.begin_stream, sql, ask.default_format, ask.parameters)
        first = await self._run(connection.fetch)
        name = statement.format or ask.default_format
        if not first and name in HEADED:
            # A result without rows has no block, hence no head: asked as a whole it has one.
            await self._run(connection.end)
            response = await self._whole(request, ask, lease, statement, sql)
            await self._run(lease.release)
            return response
        compressor = _compressor(request, ask)
        once = HeadOnce(name)
        if ask.wait_end_of_query:
            spool = await self._run(_spool, once, first, connection, compressor, ask.most_bytes)
            headers = self._headers(ask, lease, statement, compressor)
            headers["Content-Length"] = str(spool.tell())
            await self._run(lease.release)
            return StreamingResponse(_spooled(spool), headers=headers)
        tag = secrets.token_hex(8)
        headers = self._headers(ask, lease, statement, compressor) | {"X-ClickHouse-Exception-Tag": tag}
        return StreamingResponse(self._blocks(once, first, lease, compressor, tag), headers=headers)

    async def _blocks(
        self, once: HeadOnce, first: bytes, lease: Lease, compressor: Compressor | None, tag: str
    ) -> AsyncIterator[bytes]:
        """Yield the blocks as they come; a client that goes away ends the query."""
        block = once(first)
        try:
            while block:
                yield compressor(block) if compressor else block
                try:
                    block = once(await self._run(lease.connection.fetch))
                except ServerError as error:
                    block = _framed(error, tag)
                    yield compressor(block) if compressor else block
                    break
            if compressor:
                yield compressor.finish()
        finally:
            self._later(lease.release)

    def _headers(
        self, ask: Ask, lease: Lease, statement: Statement | None = None, compressor: Compressor | None = None
    ) -> dict[str, str]:
        headers = self._common(ask) | {"X-ClickHouse-Summary": lease.connection.tally.summary()}
        if statement is not None and statement.answers:
            name = statement.format or ask.default_format
            headers["X-ClickHouse-Format"] = name
            headers["Content-Type"] = _CONTENT_TYPES.get(name, "text/plain; charset=UTF-8")
        if compressor is not None:
            headers["Content-Encoding"] = compressor.coding
        return headers

    def _common(self, ask: Ask) -> dict[str, str]:
        return {
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
            "X-ClickHouse-Query-Id": ask.query_id,
            "X-ClickHouse-Timezone": self._engine.timezone,
        }

    def _refused(self, ask: Ask, error: ServerError) -> Response:
        _log.info("query %s refused: %s", ask.query_id, error)
        headers = self._common(ask) | {"X-ClickHouse-Exception-Code": str(error.code)}
        if error.status in (401, 403) and error.name == "AUTHENTICATION_FAILED":
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        return PlainTextResponse(f"{error}\n", error.status, headers)

    async def _run(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = functools.partial(action, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _later(self, action: Callable[[], object]) -> None:
        """Clean up in a thread; the connection's lock lets it wait for a call that a cancelled request left behind."""
        self._threads.submit(_logged, action)


def _logged(action: Callable[[], object]) -> None:
    try:
        action()
    except ServerError as error:
        _log.warning("clean-up after a request: %s", error)


def _statement(sql: bytearray) -> Statement:
    try:
        return read_statement(bytes(sql))
    except UnterminatedError:
        # Half of a statement whose rest is still to come, or a syntax error: the engine words that best.
        first = bytes(sql).split(maxsplit=1)[0].decode("latin-1").upper()
        return Statement(first, writes=first not in ("SELECT", "WITH"))


def _compressor(request: Request, ask: Ask) -> Compressor | None:
    coding = accepted_coding(request.headers.get("accept-encoding", "")) if ask.coded_answer else None
    return Compressor(coding) if coding else None


def _spool(
    once: HeadOnce, first: bytes, connection: Connection, compressor: Compressor | None, most_bytes: int
) -> IO[bytes]:
    """Read a result to its end before anything of it is sent, so that its status and summary are true.

    The engine does not mind max_result_bytes where it streams: it is minded here (0: no limit).
    """
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - closed by whoever reads it
    taken = 0
    try:
        block = once(first)
        while block:
            taken += len(block)
            _mind(taken, most_bytes)
            spool.write(compressor(block) if compressor else block)
            block = once(connection.fetch())
        if compressor:
            spool.write(compressor.finish())
    except BaseException:
        spool.close()
        raise
    return spool


def _mind(taken: int, most: int) -> None:
    if 0 < most < taken:
        message = f"Limit for result exceeded, max bytes: {most}, current bytes: {taken}"
        raise refusal("TOO_MANY_ROWS_OR_BYTES", message)


async def _spooled(spool: IO[bytes]) -> AsyncIterator[bytes]:
    with spool:
        spool.seek(0)
        while data := spool.read(READ_BYTES):
            yield data


def _framed(error: ServerError, tag: str) -> bytes:
    """Frame an error within a body whose status was sent before, as ClickHouse does."""
    words, mark = f"{error}\n".encode("utf-8", "replace"), tag.encode()
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (mark, words, len(words), mark)
