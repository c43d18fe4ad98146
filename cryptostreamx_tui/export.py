"""A list as a file: CSV or JSON Lines, one row a line. Knows no widget; writing is for a thread."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

FORMATS = {"csv": "CSV", "jsonl": "JSON Lines"}
"""File ending → name of the format."""


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be written: column names, and rows of plain values (str, int, float, bool, None) in their order."""

    name: str
    """Of what it holds: the beginning of the file's name."""
    header: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    def encode(self, ending: str) -> bytes:
        """Return the file's content in one of ``FORMATS``. In CSV what is unknown (None) is an empty field."""
        if ending == "csv":
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(self.header)
            writer.writerows(self.rows)
            return text.getvalue().encode("utf-8", "backslashreplace")
        encode = msgspec.json.Encoder().encode
        lines = (encode(dict(zip(self.header, row, strict=True))) for row in self.rows)
        return b"".join(line + b"\n" for line in lines)


def place(folder: Path, name: str, ending: str, now: int) -> Path:
    """Return the path of a new file in ``folder``, named by what it holds and the time (ms since the epoch, UTC)."""
    at = datetime.fromtimestamp(now / 1000, UTC)
    return folder / f"{name}-{at:%Y%m%dT%H%M%S}-{now % 1000:03}.{ending}"


def write(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all, readable by the user alone.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
