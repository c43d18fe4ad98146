"""Writes the whole result of a query to a file, in a format that ClickHouse itself writes."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import Settings
from pipeline.store.query import QueryError, ask, parse, reading, summary

FORMATS = {
    "csv": ("CSV", "CSVWithNames"),
    "jsonl": ("JSON Lines", "JSONEachRow"),
    "parquet": ("Parquet", "Parquet"),
}
"""File ending → name of the format, and what ClickHouse calls it."""
CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that was written."""

    path: Path
    rows: int | None
    """None where the server did not say."""
    size: int
    """Bytes."""


async def save(settings: Settings, sql: str, ending: str, path: Path, query_id: str) -> Saved:
    """Write the whole result into ``path``, readable by the user alone. What fails or is cancelled leaves no file.

    ``ending`` is one of ``FORMATS``; ``query_id`` is for ``cancel``.

    Raises:
        QueryError: ClickHouse refuses it, or there is nothing that could be written.
        AwayError: no connection, or it broke.
        OSError: the file cannot be written.
    """
    statement = parse(sql)
    if statement.writes or not statement.answers:
        raise QueryError(f"{statement.first} has no rows that could be exported")
    if statement.format is not None:
        raise QueryError(f"the query names a format itself (FORMAT {statement.format}): export it without that")
    parameters = reading(query_id) | {"default_format": FORMATS[ending][1]}
    unfinished = path.with_name(path.name + ".part")
    await asyncio.to_thread(_begin, unfinished)
    size = 0
    try:
        async with ask(settings, sql, parameters) as response:
            rows = summary(response.headers).result_rows
            with unfinished.open("r+b") as file:
                async for chunk in response.aiter_bytes(CHUNK):
                    await asyncio.to_thread(file.write, chunk)
                    size += len(chunk)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return Saved(path, rows, size)


def _begin(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
