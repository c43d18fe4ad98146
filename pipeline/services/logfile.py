"""A service's log file as the supervisor sees it: opened for the process, rotated between runs, its last words read.

What a process writes goes straight into the file, not through the application: a dead application must not make its
children's writes fail. A child of ours writes its log records to the same file (``pipeline.child.start_logging``).
"""

import os
import re
from pathlib import Path

from pipeline.logs import LOG_BYTES, LOG_FILES
from pipeline.text import clean, clean_bytes

_TAIL = 64 * 1024
_NEAR_THE_END = 40
_STACK_FRAME = re.compile(r"\s+(at |\.\.\. \d+ (more|common))")
_ERROR_SIGN = re.compile(r"\b(ERROR|FATAL|CRITICAL)\b|(Error|Exception)\b")


class LogFile:
    """The log file of one run of a process."""

    def __init__(self, path: Path, *, max_bytes: int = LOG_BYTES, files: int = LOG_FILES) -> None:
        """Rotate the file if it has grown too large, and open it.

        Raises:
            OSError: it cannot be opened, or its folder cannot be made.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _rotate(path, max_bytes, files)
        # Kept open, not reopened by name: the child may rotate the file while it runs, and its stderr moves along.
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._start = os.fstat(self.fd).st_size

    def write(self, text: str) -> None:
        """Append a line of our own.

        Raises:
            OSError: the disk is full, for example.
        """
        os.write(self.fd, f"{clean(text, limit=4_000)}\n".encode())

    def last_words(self, *, of_error: bool) -> str:
        """Return the last line that was written in this run, cleaned; "" if there is none.

        ``of_error``: rather the last one near the end that looks like an error, as servers tidy up loudly after it.
        """
        size = os.fstat(self.fd).st_size
        start = max(self._start if self._start <= size else 0, size - _TAIL)
        text = os.pread(self.fd, _TAIL, start).decode("utf-8", "backslashreplace")
        lines = [line for line in text.split("\n") if line.strip() and not _STACK_FRAME.match(line)][-_NEAR_THE_END:]
        errors = [line for line in lines if _ERROR_SIGN.search(line)] if of_error else []
        return clean((errors or lines or [""])[-1].strip())

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)


def cap(path: Path, *, max_bytes: int = LOG_BYTES, files: int = LOG_FILES) -> bool:
    """Rotate a log while a process goes on writing to it, if it has grown too large; tell whether it had.

    The contents move to ``<path>.1`` and the file is emptied in place: the process appends, so that it continues at the
    beginning. What it writes in that very moment is lost.

    Raises:
        OSError: the disk is full, for example.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    if size <= max_bytes:
        return False
    _shift(path, files)
    with path.open("rb") as source, _numbered(path, 1).open("wb") as copy:
        source.seek(max(0, size - max_bytes))
        while part := source.read(1024 * 1024):
            copy.write(part)
    os.truncate(path, 0)
    return True


def first_line(data: bytes, dropped: int) -> str:
    """Return the beginning of a line of unknown content, fit for a log."""
    return clean_bytes(data, limit=500) + (f" ({dropped} bytes more)" if dropped else "")


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _shift(path: Path, files: int) -> None:
    for number in range(files - 2, 0, -1):
        older = _numbered(path, number)
        if older.exists():
            older.replace(_numbered(path, number + 1))


def _rotate(path: Path, max_bytes: int, files: int) -> None:
    if path.exists() and path.stat().st_size > max_bytes:
        _shift(path, files)
        path.replace(_numbered(path, 1))


def tail(path: Path, lines: int = 200) -> list[str]:
    """Return the last lines of a log file, oldest first, cleaned. Blocks: it is for a thread.

    Raises:
        OSError: it cannot be read, or is not there.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - _TAIL)
        file.seek(start)
        text = file.read(_TAIL).decode("utf-8", "backslashreplace")
    kept = text.split("\n")
    if start:
        del kept[0]  # most likely the end of a line
    return [clean(line, 1_000) for line in kept if line.strip()][-lines:]
