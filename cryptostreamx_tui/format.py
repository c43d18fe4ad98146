"""Numbers, times and text as they stand on the screen. Pure: no widget, no clock, no state.

A screen line is a list of ``Span``: plain text with a tone (a name that a style sheet gives a colour) and, where it
can be clicked, an action. Nothing here is markup. What is unknown is shown as ``–``, never as 0.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from pipeline.text import clean

UNKNOWN = "–"
MAX_DECIMALS = 8
"""As many as Binance sends."""


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    tone: str = ""
    action: str = ""
    """What a click does: a Textual action string, made by us alone, never from outside text."""


Line = list[Span]


def plain(line: Iterable[Span]) -> str:
    """Return a line's text."""
    return "".join(span.text for span in line)


def safe(text: str, limit: int = 500) -> str:
    """Return ``text`` with nothing in it that a terminal would act on; cheap for text that is fine already."""
    return text if len(text) <= limit and text.isprintable() else clean(text, limit)


# ---------------------------------------------------------------- times (milliseconds since the epoch, UTC)


def clock(ms: int) -> str:
    """``12:04:31.342``."""
    seconds, milli = divmod(ms, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours % 24:02}:{minute:02}:{second:02}.{milli:03}"


def hms(ms: int) -> str:
    """``12:04:31``."""
    return clock(ms)[:8]


def hm(ms: int) -> str:
    """``12:04``."""
    return clock(ms)[:5]


def date_time(ms: int | None) -> str:
    """``2024-08-08 12:04:31.342 UTC``, or ``–`` for what is no time between 1970 and 9999."""
    if ms is None or not 0 < ms < 253_402_300_800_000:
        return UNKNOWN
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%d} {clock(ms)} UTC"


def duration(ms: float | None) -> str:
    """``9s``, ``3m12s``, ``2h05m``, ``4d03h``; ``–`` where unknown."""
    if ms is None:
        return UNKNOWN
    seconds = max(0, int(ms // 1000))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86_400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{seconds // 86_400}d{seconds % 86_400 // 3600:02}h"


def millis(ms: float | None) -> str:
    """``41 ms``, ``12.3 s``, ``3m12s``; ``–`` where unknown."""
    if ms is None:
        return UNKNOWN
    if ms < 9_999.5:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 99_950 else duration(ms)


# ---------------------------------------------------------------- numbers


def count(value: int | None) -> str:
    """``1,234``; ``–`` where unknown."""
    return UNKNOWN if value is None else f"{value:,}"


def per_second(value: float | None) -> str:
    """``312/s``, ``3.4/s``; ``–`` where unknown."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}/s" if value >= 9.95 or value == 0 else f"{value:.1f}/s"


def size(value: int | None) -> str:
    """``512 B``, ``210 MB``, ``1.2 GB`` (powers of 1024); ``–`` where unknown."""
    if value is None:
        return UNKNOWN
    amount = float(value)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def decimals(value: float) -> int:
    """Return how many decimals ``value`` needs, at most ``MAX_DECIMALS``."""
    if not math.isfinite(value):
        return 0
    return len(f"{value:.{MAX_DECIMALS}f}".rstrip("0").partition(".")[2])


def aligned(value: float, places: int, column_places: int, width: int) -> str:
    """Return ``value`` with ``places`` decimals, its decimal point where a column of ``column_places`` has it."""
    if not math.isfinite(value):
        return UNKNOWN.rjust(width)
    gap = column_places - places
    if gap > 0 and places == 0:
        gap += 1  # the point itself
    return f"{value:,.{places}f}{' ' * gap}".rjust(width)


def change(value: float | None) -> str:
    """``▲0.12%``, ``▼0.40%``, ``=0.00%`` from a fraction; ``–`` where unknown."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    percent = f"{abs(value) * 100:.2f}%"
    return f"{'=' if percent == '0.00%' else '▲' if value > 0 else '▼'}{percent}"


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the newest ``width`` values as a line of blocks between their own minimum and maximum."""
    shown = values[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = high - low
    return "".join("▁▂▃▄▅▆▇█"[int((v - low) / span * 7.999) if span else 3] for v in shown)


def bar(done: int, total: int, width: int) -> tuple[str, str]:
    """Return the filled and the empty part of a progress bar."""
    filled = width * done // total if total else 0
    return "━" * filled, "─" * (width - filled)


# ---------------------------------------------------------------- text


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return ``text`` in exactly ``width`` cells: padded, or cut with an ellipsis; cleaned."""
    text = safe(text)
    length = len(text) if text.isascii() else cell_len(text)
    if length <= width:
        return " " * (width - length) + text if right else text + " " * (width - length)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def wrap(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, broken at spaces where there are any; indented as it is."""
    width = max(1, width)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        inner = paragraph.lstrip(" ")
        indent = len(paragraph) - len(inner)
        if inner and 0 < indent <= width // 2:
            lines.extend(" " * indent + part for part in wrap(inner, width - indent))
            continue
        line = ""
        for word in paragraph.split(" "):
            rest = word
            if line and cell_len(line) + 1 + cell_len(rest) <= width:
                line = f"{line} {rest}"
                continue
            if line:
                lines.append(line)
            while cell_len(rest) > width:
                head = set_cell_size(rest[: 4 * width], width).rstrip() or rest[0]
                lines.append(head)
                rest = rest[len(head) :]
            line = rest
        lines.append(line)
    return lines


def hex_dump(data: bytes, limit: int = 4096) -> list[str]:
    """Return ``data`` as lines of offset, sixteen bytes, and those that are printable ASCII."""
    lines = []
    for offset in range(0, min(len(data), limit), 16):
        row = data[offset : min(offset + 16, limit)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        lines.append(f"{offset:06x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  {text}")
    if len(data) > limit:
        lines.append(f"… {len(data) - limit:,} more bytes")
    return lines
