"""Bytes from a child's standard output, cut into lines, with an upper bound on what a line may hold in memory."""

from collections.abc import Iterator

MAX_LINE = 4 * 1024 * 1024
_KEPT = 2_000


class LineSplitter:
    """Cuts a stream into lines. A line that grows too long is given up: its beginning is all that is kept."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max = max_line
        self._line = bytearray()
        self._size = 0

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield each line that ``data`` ends, without its newline, and how many of its bytes were dropped."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._keep(part)
            yield self._take()
        self._keep(rest)

    def end(self) -> tuple[bytes, int] | None:
        """Return what came after the last newline, or None if nothing did."""
        return self._take() if self._size else None

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._max:
            self._line += part
        else:
            self._line += part[:_KEPT]
            del self._line[_KEPT:]

    def _take(self) -> tuple[bytes, int]:
        line, size = bytes(self._line), self._size
        self._line, self._size = bytearray(), 0
        return line, size - len(line)
