"""Whether a trade's price is above or below its symbol's previous one. Pure, and only ever asked for a row in sight:
looking back costs some microseconds, which are too much for each of 20,000 trades a second and nothing for 40 rows.
"""

from bisect import bisect_left
from typing import Protocol

from cryptostreamx_tui.state import TapeEntry

LOOK_BACK = 2_000
"""Entries that are looked through for the previous trade of a symbol that is seldom traded."""


class Tape(Protocol):
    """Entries of the tape, oldest first: a ring, or a list that was held."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> TapeEntry:
        """One of them."""


def place(tape: Tape, entry: TapeEntry) -> int | None:
    """Return where an entry is in the tape; None where it is there no more.

    Entries are in the order of being read, and within a batch in that of the records' times.
    """
    key = _key(entry)
    at = bisect_left(tape, key, key=_key)
    while at < len(tape) and _key(tape[at]) == key:
        if tape[at] is entry or tape[at] == entry:
            return int(at)
        at += 1
    return None


def previous_price(tape: Tape, at: int) -> float | None:
    """Return the price of the trade before the one at a place, of the same symbol; None where none is found."""
    symbol = tape[at][0].trade.symbol
    for index in range(at - 1, max(-1, at - 1 - LOOK_BACK), -1):
        trade = tape[index][0].trade
        if trade.symbol == symbol:
            return trade.price
    return None


def _key(entry: TapeEntry) -> tuple[int, int]:
    return entry[1], entry[0].timestamp
