"""The producer's ring of raw frames."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.producer.frames import Frames

NOW = 1_723_161_256_000


def frame(trade_id: int, symbol: str = "BTCUSDT", quantity: str = "0.5") -> bytes:
    data = {
        "e": "trade", "E": NOW, "s": symbol, "t": trade_id, "p": "2", "q": quantity, "T": NOW, "m": True, "M": True,
    }  # fmt: skip
    return json.dumps({"stream": f"{symbol.lower()}@trade", "data": data}, ensure_ascii=False).encode()


def test_a_frame_is_found_by_symbol_and_id_exactly_as_it_came() -> None:
    frames = Frames()
    for trade_id in (7, 77, 777):
        for symbol in ("BTCUSDT", "币安人生USDT"):
            frames.keep(frame(trade_id, symbol))
    assert frames.find("币安人生USDT", 77, NOW) == frame(77, "币安人生USDT")
    assert frames.find("BTCUSDT", 7, NOW) == frame(7)
    assert frames.find("ETHUSDT", 7, NOW) is None
    assert frames.find("BTCUSDT", 78, NOW) is None


def test_digits_elsewhere_in_a_frame_are_no_id() -> None:
    frames = Frames()
    frames.keep(frame(1, quantity="42.5"))
    assert frames.find("BTCUSDT", 42, NOW) is None


def test_the_newest_of_two_with_the_same_id_is_told() -> None:
    frames = Frames()
    frames.keep(frame(1, quantity="1"))
    frames.keep(frame(1, quantity="2"))
    assert frames.find("BTCUSDT", 1, NOW) == frame(1, quantity="2")


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=30), st.integers(1, 10))
def test_exactly_the_last_ones_are_kept(ids: list[int], kept: int) -> None:
    frames = Frames(kept)
    for trade_id in ids:
        frames.keep(frame(trade_id))
    found = [trade_id for trade_id in ids if frames.find("BTCUSDT", trade_id, NOW) is not None]
    assert found == ids[-kept:]
