"""Candles with volume as lines of text: price axis at the right, time axis below. Pure: no widget, no clock.

A cell holds two steps of price. A rising candle has a thin body, a falling one a solid one, an unfinished one a pale
one: the colour only repeats it. Where no window was closed there is a gap, never a candle made up.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cryptostreamx_tui.format import Line, Span, fit, hm

STEP = 2
"""Columns of a candle: itself and a gap."""
LEAST_HEIGHT = 6
"""Below this there is no room for a candle."""
LABEL_ROWS = 3
"""Rows between two prices of the axis."""
_LEVELS = " ▁▂▃▄▅▆▇█"
_BODY = {  # (upper half, lower half of the cell) → sign; b: body, w: wick
    "rising": {"bb": "┃", "b ": "╹", " b": "╻", "bw": "╿", "wb": "╽"},
    "falling": {"bb": "█", "b ": "▀", " b": "▄", "bw": "▀", "wb": "▄"},
    "unfinished": {"bb": "░", "b ": "░", " b": "░", "bw": "░", "wb": "░"},
}
_WICK = {"ww": "│", "w ": "╵", " w": "╷"}
_TONES = {"rising": "good", "falling": "bad", "unfinished": "accent"}


class Candle(NamedTuple):
    """One window to draw."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    unfinished: bool = False

    @property
    def kind(self) -> str:
        """``rising``, ``falling`` or ``unfinished``; one that ends where it began counts as rising."""
        return "unfinished" if self.unfinished else "rising" if self.close >= self.open else "falling"


class _Scale:
    """Prices → half rows, counted from the top."""

    def __init__(self, low: float, high: float, rows: int) -> None:
        span = (high - low) or abs(high) * 1e-4 or 1.0
        self.low, self.high = (low, high) if high > low else (low - span / 2, high + span / 2)
        self._steps = rows * 2 - 1
        self.rows = rows

    def half(self, price: float) -> int:
        return round((self.high - price) / (self.high - self.low) * self._steps)

    def price(self, row: int) -> float:
        return self.high - (row * 2 + 0.5) / self._steps * (self.high - self.low)


def chart(candles: Sequence[Candle], ms: int, width: int, height: int, places: int = 2) -> list[Line]:
    """Return ``height`` lines of ``width`` cells.

    ``candles``: oldest first, at least one; those that do not fit are left out at the left. ``ms``: the windows' size.
    ``places``: decimals of the prices.
    """
    newest = candles[-1]
    volume_rows = max(1, (height - 1) // 5)
    rows = height - 1 - volume_rows
    text_width = max(len(f"{price:,.{places}f}") for price in (newest.close, newest.high))
    slots = max(1, (width - text_width - 3) // STEP)
    shown = [candle for candle in candles if 0 <= newest.start - candle.start < slots * ms]
    scale = _Scale(min(candle.low for candle in shown), max(candle.high for candle in shown), rows)
    grid = [[" "] * slots for _ in range(rows + volume_rows)]
    tones = [[""] * slots for _ in range(rows + volume_rows)]
    largest = max(candle.volume for candle in shown) or 1.0
    for candle in shown:
        at = slots - 1 - (newest.start - candle.start) // ms
        tone = _TONES[candle.kind]
        for row, sign in _signs(candle, scale):
            grid[row][at], tones[row][at] = sign, tone
        eighths = max(1, round(candle.volume / largest * volume_rows * 8)) if candle.volume > 0 else 0
        for up in range(volume_rows):
            level = min(8, max(0, eighths - up * 8))
            grid[-1 - up][at], tones[-1 - up][at] = _LEVELS[level], tone
    labels = _labels(scale, newest, places, text_width, volume_rows, largest)
    lines = [
        [*_runs(signs, tone_row), Span("│", "dim"), label]
        for signs, tone_row, label in zip(grid, tones, labels, strict=True)
    ]
    return [*lines, [Span(_times(newest.start, ms, slots), "dim")]]


def _signs(candle: Candle, scale: _Scale) -> list[tuple[int, str]]:
    """Return the cells of a candle: row and sign."""
    top, bottom = scale.half(candle.high), scale.half(candle.low)
    body_top = scale.half(max(candle.open, candle.close))
    body_bottom = scale.half(min(candle.open, candle.close))

    def part(half: int) -> str:
        if body_top <= half <= body_bottom:
            return "b"
        return "w" if top <= half <= bottom else " "

    kind = candle.kind
    made = []
    for row in range(top // 2, bottom // 2 + 1):
        both = part(row * 2) + part(row * 2 + 1)
        made.append((row, _WICK.get(both) or _BODY[kind].get(both, " ")))
    return made


def _runs(signs: Sequence[str], tones: Sequence[str]) -> Line:
    """Join cells of the same tone; each is followed by the gap."""
    line: Line = []
    text, tone = "", ""
    for sign, its in zip(signs, tones, strict=True):
        if its != tone and sign != " ":
            if text:
                line.append(Span(text, tone))
            text, tone = "", its
        text += sign + " " * (STEP - 1)
    line.append(Span(text, tone))
    return line


def _labels(scale: _Scale, newest: Candle, places: int, width: int, volume_rows: int, largest: float) -> list[Span]:
    """Return what stands right of the axis in each row: prices, the last one marked, the largest volume."""
    labels = [
        Span(f" {fit(f'{scale.price(row):,.{places}f}', width, right=True)}", "dim")
        if row % LABEL_ROWS == 0
        else Span(" " * (width + 1))
        for row in range(scale.rows)
    ]
    last = min(scale.rows - 1, scale.half(newest.close) // 2)
    labels[last] = Span(f"◂{fit(f'{newest.close:,.{places}f}', width, right=True)}", "strong")
    volume = f"vol {largest:,.0f}" if largest >= 100 else f"vol {largest:.3g}"
    return [*labels, Span(f" {fit(volume, width, right=True)}", "dim"), *[Span(" " * (width + 1))] * (volume_rows - 1)]


def _times(newest: int, ms: int, slots: int) -> str:
    """Return the time axis: a time at round distances, where each has room."""
    every = next(n for n in (5, 10, 15, 30, 60, 120, 240, 10**9) if n * 60_000 // ms * STEP >= 10) * 60_000
    line = [" "] * (slots * STEP)
    for slot in range(slots):
        start = newest - (slots - 1 - slot) * ms
        at = slot * STEP
        if start % every == 0 and at + 5 <= len(line):
            line[at : at + 5] = hm(start)
    return "".join(line)
