"""Quality: symbols, duplicates, ranges of ids against a plain set."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feed.quality import IdRanges, Overlap, Quality
from pipeline.model import Reason, Rejection, Trade

NOW = 1_723_161_256_000
TRADE = Trade("trade", NOW - 1, "BTCUSDT", 7, 2.0, 0.5, NOW - 2, True, True, NOW)


def judged(quality: Quality, *, overlapping: bool = False, **changes: Any) -> Rejection | Overlap | None:
    return quality.judge(msgspec.structs.replace(TRADE, **changes), b"frame", overlapping=overlapping)


def test_a_good_trade_passes_once() -> None:
    quality = Quality(["BTCUSDT"])
    assert judged(quality) is None
    again = judged(quality)
    assert isinstance(again, Rejection)
    assert (again.reason, again.field, again.symbol) == (Reason.DUPLICATE, "t", "BTCUSDT")
    assert (again.frame, again.received_time) == (b"frame", NOW)


def test_the_same_id_of_another_symbol_is_no_duplicate() -> None:
    quality = Quality(["BTCUSDT", "ETHUSDT"])
    assert judged(quality) is None
    assert judged(quality, symbol="ETHUSDT") is None


def test_a_repeat_by_our_own_overlap_is_nobodys_fault() -> None:
    quality = Quality(["BTCUSDT"])
    assert judged(quality, overlapping=True) is None
    assert judged(quality, overlapping=True) is Overlap.OVERLAP


@pytest.mark.parametrize(
    "symbol", ["ETHUSDT", "btcusdt", "", "BTCUSDT ", "\x1b[31mBTC", "\u202eBTC", "[/b]", "' OR 1=1", "BTC\0", "ВТСUSDT"]
)
def test_a_symbol_that_was_not_asked_for(symbol: str) -> None:
    refused = judged(Quality(["BTCUSDT"]), symbol=symbol)
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.field, refused.symbol) == (Reason.UNKNOWN_SYMBOL, "s", None)


def test_a_non_ascii_symbol_that_was_asked_for() -> None:
    assert judged(Quality(["币安人生USDT"]), symbol="币安人生USDT") is None


def test_symbols_are_added_while_running_and_stay() -> None:
    quality = Quality(["BTCUSDT"])
    quality.ask(["ETHUSDT"])
    assert judged(quality, symbol="ETHUSDT") is None
    assert judged(quality) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": 0.0}, "p"),
        ({"quantity": 0.0}, "q"),
        ({"trade_time": NOW + 61_000}, "T"),
        ({"trade_time": NOW - 2 * 86_400_000}, "T"),
    ],
)
def test_values_that_cannot_be(changes: dict[str, Any], field: str) -> None:
    quality = Quality(["BTCUSDT"])
    refused = judged(quality, **changes)
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.field) == (Reason.OUT_OF_RANGE, field)
    assert quality.ids() == {"BTCUSDT": ()}


def test_hostile_text_in_a_refusal_becomes_no_symbol() -> None:
    quality = Quality(["BTCUSDT"])
    refusal = Rejection(Reason.BAD_NUMBER, "x", b"", NOW, "p", "\x1b[31m")
    assert quality.vet(refusal).symbol is None
    known = Rejection(Reason.BAD_NUMBER, "x", b"", NOW, "p", "BTCUSDT")
    assert quality.vet(known) is known


def test_ids_out_of_order_close_their_hole() -> None:
    quality = Quality(["BTCUSDT"])
    for trade_id in (1, 2, 5, 6, 4, 3, 9):
        assert judged(quality, trade_id=trade_id) is None
    assert quality.ids() == {"BTCUSDT": ((1, 6), (9, 9))}


@given(st.lists(st.integers(0, 60), max_size=120))
def test_ranges_are_a_set(values: list[int]) -> None:
    ranges, reference = IdRanges(), set[int]()
    for value in values:
        assert ranges.add(value) == (value not in reference)
        reference.add(value)
    found = ranges.ranges()
    assert {v for first, last in found for v in range(first, last + 1)} == reference
    assert all(a[1] + 1 < b[0] for a, b in pairwise(found))


def test_the_lowest_range_is_forgotten_beyond_the_limit() -> None:
    ranges = IdRanges(limit=2)
    for value in (1, 10, 20, 30):
        assert ranges.add(value)
    assert ranges.ranges() == ((20, 20), (30, 30))
    assert ranges.add(1)
    assert ranges.ranges() == ((20, 20), (30, 30))
