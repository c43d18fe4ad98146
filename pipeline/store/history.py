"""The queries that a person ran, in a file of the home: bounded, each one once, the newest last. Blocking."""

import json
import logging
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

FILE = "queries.jsonl"
"""Its name in the home."""
KEPT = 200
"""Queries in the file."""
LONGEST = 20_000
"""Characters of a query that is kept; a longer one is run and forgotten."""

_log = logging.getLogger(__name__)


class Ran(NamedTuple):
    """A query and when it ran last (ms since the epoch)."""

    sql: str
    at: int


def read(path: Path) -> list[Ran]:
    """Return what the file holds, the newest first; no file is no history. Lines that cannot be read are told of.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found: list[Ran] = []
    for number, line in enumerate(lines, 1):
        try:
            item = json.loads(line)
            found.append(Ran(str(item["sql"]), int(item["at"])))
        except (ValueError, TypeError, KeyError) as error:
            _log.warning("%s, line %d is no query: %s", path, number, error)
    return found[::-1]


def remember(path: Path, sql: str, at: int) -> None:
    """Put a query at the end of the file, and take an earlier run of it out. The file is replaced as a whole.

    Raises:
        OSError: it cannot be read or written; what was there stays.
    """
    sql = sql.strip()
    if not sql or len(sql) > LONGEST:
        return
    kept = [ran for ran in read(path)[::-1] if ran.sql != sql]
    kept = [*kept, Ran(sql, at)][-KEPT:]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable by the user alone
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"at": ran.at, "sql": ran.sql}) + "\n" for ran in kept)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
