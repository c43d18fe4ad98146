import json

import pytest

from pipeline.exchange.malformed import KINDS, MALFORMED, malformed
from pipeline.exchange.trades import MadeTrade, trade_frame

TEXT = trade_frame(MadeTrade("BTCUSDT", 3735683259, 6183763000000, 2000000, 1723161255343, 1723161255342, True)).text


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_differs_from_the_real_frame_and_fits_a_message(kind: str) -> None:
    bad = MALFORMED[kind](TEXT)
    assert bad != TEXT
    assert len(bad) < 2**20


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("no price", "p", None),
        ("no event time", "E", None),
        ("negative price", "p", "-61837.63000000"),
        ("true as a price", "p", True),
        ("m as text", "m", "false"),
        ("trade id 1.9", "t", 1.9),
        ("trade id 2^63", "t", 2**63),
        ("times in seconds", "T", 1723161255),
        ("times in microseconds", "E", 1723161255343000),
        ("aggTrade", "e", "aggTrade"),
        ("numeric symbol", "s", 42),
        ("lone surrogate", "s", "\ud800"),
        ("escape sequences", "s", "\x1b[2J\x1b]0;owned\x07"),
        ("empty symbol", "s", ""),
    ],
)
def test_only_the_meant_field_is_changed(kind: str, field: str, value: object) -> None:
    real, bad = json.loads(TEXT)["data"], json.loads(MALFORMED[kind](TEXT))["data"]
    assert bad.get(field) == value
    other = {"E", "T"} if kind.startswith("times") else {field}
    assert {k: v for k, v in bad.items() if k not in other} == {k: v for k, v in real.items() if k not in other}


@pytest.mark.parametrize("kind", ["empty", "cut short", "trailing bytes", "byte order mark", "invalid UTF-8"])
def test_some_are_no_json(kind: str) -> None:
    with pytest.raises(ValueError):
        json.loads(MALFORMED[kind](TEXT).decode())


def test_duplicate_keys_are_really_twice_there() -> None:
    pairs = json.loads(MALFORMED["duplicate keys"](TEXT), object_pairs_hook=list)
    assert [key for key, _ in dict(pairs)["data"]].count("p") == 2


def test_the_kinds_come_in_turn() -> None:
    assert malformed(TEXT, 0) == MALFORMED[KINDS[0]](TEXT)
    assert malformed(TEXT, len(KINDS) + 1) == MALFORMED[KINDS[1]](TEXT)
