"""A trade against its symbol's previous one."""

from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.state import TapeEntry
from cryptostreamx_tui.ticks import LOOK_BACK, place, previous_price
from tests.tui import fakes
from tests.tui.fakes import NOON


def entry(number: int, symbol: str = "BTCUSDT", price: float = 1.0, at: int = NOON, read_at: int = NOON) -> TapeEntry:
    return fakes.trade(number, symbol, at, price), read_at


def ring(*entries: TapeEntry, size: int = 100) -> Ring[TapeEntry]:
    made: Ring[TapeEntry] = Ring(size)
    made.extend(entries, len(entries))
    return made


def test_the_previous_trade_is_that_of_the_same_symbol() -> None:
    tape = ring(entry(1, price=10.0), entry(2, "ETHUSDT", 5.0), entry(3, price=11.0), entry(4, "ETHUSDT", 4.0))
    assert [previous_price(tape, at) for at in range(4)] == [None, None, 10.0, 5.0]


def test_an_entry_that_the_ring_forgot_has_no_place() -> None:
    first = entry(1)
    tape = ring(first, *(entry(n, at=NOON + n) for n in range(2, 6)), size=3)
    assert place(tape, first) is None
    assert place(tape, tape[0]) == 0


def test_a_symbol_that_is_hardly_traded_is_looked_for_only_so_far() -> None:
    rare = entry(0, "RARE", 1.0)
    near = [rare, *(entry(n, at=NOON + n) for n in range(1, LOOK_BACK)), entry(10**6, "RARE", 2.0, NOON + 10**6)]
    assert previous_price(near, len(near) - 1) == 1.0
    far = [rare, *(entry(n, at=NOON + n) for n in range(1, LOOK_BACK + 1)), entry(10**6, "RARE", 2.0, NOON + 10**6)]
    assert previous_price(far, len(far) - 1) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["A", "B", "C"]), st.integers(1, 3)), max_size=60))
def test_every_entry_is_found_and_compared_as_a_plain_walk_does(rows: list[tuple[int, str, int]]) -> None:
    """Batches of any size, with equal times inside and across them."""
    batches: list[TapeEntry] = []
    read_at = stamp = NOON
    for number, (step, symbol, price) in enumerate(rows):
        if step == 3:
            read_at += 100
        stamp += step % 2
        batches.append(entry(number, symbol, float(price), stamp, read_at))
    tape = ring(*batches)
    last: dict[str, float] = {}
    for at, one in enumerate(batches):
        assert place(tape, one) == at
        assert previous_price(tape, at) == last.get(one[0].trade.symbol)
        last[one[0].trade.symbol] = one[0].trade.price
