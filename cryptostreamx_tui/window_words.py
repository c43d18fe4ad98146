"""What is said of a window in words: its flags, and everything known of it as a page. Pure."""

from collections.abc import Sequence

from cryptostreamx_tui.details import Detail, Section, window_detail
from cryptostreamx_tui.export import Export
from cryptostreamx_tui.windows import ClosedWindow
from pipeline.windows.coverage import Wholeness

SIGNS = {"partial": "◐", "unknown": "?", "late": "!", "corrected": "✎"}
"""Flag → its sign, where the word has no room."""
TONES = {"partial": "warn", "unknown": "dim", "late": "warn", "corrected": "accent"}

_EXPLAINED = {
    Wholeness.WHOLE: "whole: every trade of its span is in it",
    Wholeness.PARTIAL: "partial: trades of its span were not received, or it was joined in the middle",
    Wholeness.UNKNOWN: "unknown: whether trades of its span are missing cannot be told",
}

EXPORTED = (
    "size",
    "symbol",
    "window_start",
    "window_end",
    "trade_count",
    "total_quantity",
    "open_price",
    "max_price",
    "min_price",
    "close_price",
    "vwap",
    "avg_price",
    "wholeness",
    "late",
    "corrected",
)


def signs(closed: ClosedWindow) -> tuple[str, str]:
    """Return the signs of a window's flags and the tone of the gravest."""
    names = [flag.split(" ")[0] for flag in closed.flags]
    tone = next((TONES[name] for name in ("partial", "late", "corrected", "unknown") if name in names), "")
    return "".join(SIGNS[name] for name in names), tone


def closed_detail(closed: ClosedWindow) -> Detail:
    """Return everything known of a closed window, its flags explained."""
    window = window_detail(closed.window)
    known = [f"{_EXPLAINED[closed.verdict.wholeness]} ({closed.verdict.why})."]
    if closed.late:
        known.append(
            f"late {closed.late:,}: so many trades came after it had closed. They are stored, and not in its figures: "
            "it is to be corrected."
        )
    if closed.corrected:
        known.append("corrected: it came again with other values, which are the ones shown.")
    return Detail(window.title, (*window.sections, Section("Flags", text=tuple(known))))


def export(rows: Sequence[ClosedWindow]) -> Export:
    """Return closed windows as plain values, in the order given."""
    values = [
        (
            row.window.size,
            *(getattr(row.window, name) for name in EXPORTED[1:12]),
            row.verdict.wholeness.value,
            row.late,
            row.corrected,
        )
        for row in rows
    ]
    return Export("windows", EXPORTED, values)


def matcher(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a filter's words ask for: parts of symbols, and flags."""
    words = text.lower().split()
    flags = tuple(word for word in words if word in SIGNS or word == Wholeness.WHOLE.value)
    return tuple(word.upper() for word in words if word not in flags), flags


def matches(closed: ClosedWindow, symbols: Sequence[str], flags: Sequence[str]) -> bool:
    """Tell whether a window is of one of the symbols and has all the flags; none asked for means any."""
    names = [flag.split(" ")[0] for flag in closed.flags]
    whole = closed.verdict.wholeness is Wholeness.WHOLE
    return (not symbols or any(part in closed.window.symbol for part in symbols)) and all(
        whole if flag == Wholeness.WHOLE.value else flag in names for flag in flags
    )
