"""How many views of the health pane are in sight, and how high each is. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

LEAST = 5
"""Lines of a view that is worth showing: title, header, three rows."""
WIDE = 150
"""Cells from which on two views stand beside each other."""
LOW = 24
"""Lines up to which the first view may take all the room."""


class Plan(NamedTuple):
    """What is in sight, in the order of the views."""

    columns: int
    keys: tuple[str, ...]
    heights: tuple[int, ...]
    """Of each row of the grid."""


def plan(wanted: Sequence[tuple[str, int]], first: str, width: int, height: int) -> Plan:
    """Return the views that fit, from ``first`` on; those before it where room is left below the last one.

    ``wanted`` has every view with the lines it needs to show everything.
    """
    columns = 2 if width >= WIDE else 1
    rows = [list(wanted[at : at + columns]) for at in range(0, len(wanted), columns)]
    wants = [max(lines for _, lines in row) for row in rows]
    anchor = next(index for index, row in enumerate(rows) if first in [key for key, _ in row])
    most = height if height < LOW else height * 55 // 100
    heights: dict[int, int] = {}
    left = height
    for index in (*range(anchor, len(rows)), *reversed(range(anchor))):
        if heights and left < min(wants[index], LEAST):
            break
        heights[index] = max(1, min(wants[index], most, left))
        left -= heights[index]
    for index in (anchor, *sorted(heights)):  # what is left goes to those that were cut, then to the last one
        more = min(left, max(0, wants[index] - heights[index]))
        heights[index] += more
        left -= more
    heights[max(heights)] += max(0, left)
    shown = sorted(heights)
    keys = tuple(key for index in shown for key, _ in rows[index])
    return Plan(columns, keys, tuple(heights[index] for index in shown))
