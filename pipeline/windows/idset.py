"""A set of trade ids as sorted, inclusive ranges in one flat list: ``[low, high, low, high, …]``.

Trade ids of a symbol are consecutive, so a whole window is mostly one range. The list is plain JSON: it lives in the
windows' state. Pure.
"""

from bisect import bisect_left

MAX_RANGES = 512
"""Ranges that are kept; beyond, the lowest is forgotten, as the state is written with every trade. An id of a forgotten
range would count as new: reached only where a window has more than 511 holes in its trade ids."""


def add(ranges: list[int], trade_id: int) -> bool:
    """Put the id into the set, in place. Return False where it was in it already."""
    if ranges and ranges[-1] == trade_id - 1:  # nearly always: the next id
        ranges[-1] = trade_id
        return True
    at = bisect_left(ranges, trade_id)
    if at % 2 == 1 or (at < len(ranges) and ranges[at] == trade_id):
        return False
    joins_left = at > 0 and ranges[at - 1] == trade_id - 1
    joins_right = at < len(ranges) and ranges[at] == trade_id + 1
    if joins_left and joins_right:
        del ranges[at - 1 : at + 1]
    elif joins_left:
        ranges[at - 1] = trade_id
    elif joins_right:
        ranges[at] = trade_id
    else:
        ranges[at:at] = [trade_id, trade_id]
        if len(ranges) > 2 * MAX_RANGES:
            del ranges[:2]
    return True
