"""Reading a recording and the pace of its replay. Knows no connections; the pace takes the clock as an argument.

A line is ``<receive time, ns since epoch> <the frame's text, exactly as received>``; ``.gz`` files are gzip. Any text
may be a frame, an empty or malformed one too: how such frames are met is what a recording may be there to show.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.exchange.trades import trade_of

LEGAL_SYMBOL = re.compile(r"[\w\-.]{1,50}")
"""What may stand in ``exchangeInfo``; letters of any script, but see ``listed``."""


class BrokenRecordingError(ValueError):
    """A recording cannot be read; the message names the file, the line and what is wrong there."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}, line {line}: {problem}")


def read(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (receive time in ns, text) of each line.

    Raises:
        BrokenRecordingError: a line has no receive time or is no UTF-8, or the compressed data is damaged or cut short.
        OSError: the file cannot be opened.
    """
    number = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        try:
            for number, line in enumerate(lines, 1):
                time, space, text = line.rstrip(b"\r\n").partition(b" ")
                if not space or not time.isdigit() or len(time) > 20:
                    raise BrokenRecordingError(path, number, "it does not begin with a receive time in nanoseconds")
                text.decode()  # a text frame is UTF-8, or the client must break the connection (RFC 6455, 8.1)
                yield int(time), text
        except UnicodeDecodeError as error:
            raise BrokenRecordingError(path, number, f"the frame is not UTF-8: {error.reason}") from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BrokenRecordingError(path, number + 1, f"damaged gzip data: {error}") from error


class Survey(NamedTuple):
    """What a recording holds."""

    total: int
    """Frames."""
    symbols: tuple[str, ...]
    """Symbols that trade in it, upper case, sorted."""


def survey(path: Path) -> Survey:
    """Read a recording once, so that a broken one is refused before anything of it was sent.

    Raises:
        BrokenRecordingError: see ``read``.
        OSError: the file cannot be opened.
    """
    total, symbols = 0, set[str]()
    for _, text in read(path):
        total += 1
        trade = trade_of(text)
        if trade is not None:
            symbols.add(trade.symbol)
    return Survey(total, tuple(sorted(symbol for symbol in symbols if listed(symbol))))


def listed(symbol: str) -> bool:
    """Tell whether a text could be a symbol of Binance's: no lower case, no punctuation but ``-._``."""
    return LEGAL_SYMBOL.fullmatch(symbol) is not None and symbol == symbol.upper()


class Pace:
    """When each frame of a recording is due, at its own pace times ``speed``."""

    def __init__(self, speed: float) -> None:
        """``speed`` is a factor above 0; ``math.inf`` means as fast as possible."""
        self._speed = speed
        self._anchor: tuple[int, float] | None = None

    def delay(self, received: int, now: float) -> float:
        """Return the seconds from ``now`` (s, any monotonic clock) until the frame of ``received`` (ns) is due.

        The first frame asked for is due at once; what is overdue gives 0 or less.
        """
        if self._anchor is None:
            self._anchor = (received, now)
        first, start = self._anchor
        return start + (received - first) / 1e9 / self._speed - now

    def restart(self) -> None:
        """Go on after a pause: the next frame asked for is due at once, the others as far after it as recorded."""
        self._anchor = None
