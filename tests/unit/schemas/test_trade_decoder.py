"""The short way of decoding a trade against fastavro: the same trade, or none at all."""

import io

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Source, Trade
from pipeline.schemas.subjects import load_schema
from pipeline.schemas.trade_decoder import plain_trade
from pipeline.schemas.trade_encoder import TradeEncoder

SCHEMA = fastavro.parse_schema(load_schema("binance_trade"))
USUAL = Trade(
    "trade", 1723161255343, "BTCUSDT", 3735683259, 61837.63, 0.02, 1723161255342, True, True, 1723161254087, Source.WS
)

times = st.integers(2**40, 2**41 - 1)
doubles = st.floats(allow_nan=False)
symbols = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
usual = st.builds(
    Trade, st.just("trade"), times, symbols, st.integers(2**14, 2**50), doubles, doubles, times, st.booleans(),
    st.booleans(), times, st.sampled_from(Source),
)  # fmt: skip
longs = st.integers(-(2**63), 2**63 - 1)
arbitrary = st.builds(
    Trade, st.sampled_from(["trade", "", "Trade", "aggTrade"]), longs, symbols, longs, doubles, doubles, longs,
    st.booleans(), st.booleans(), longs, st.sampled_from(Source),
)  # fmt: skip


def slowly(data: bytes) -> Trade:
    """Decode with fastavro, to the last byte."""
    body = io.BytesIO(data)
    body.seek(5)
    record = fastavro.schemaless_reader(body, SCHEMA, None)
    assert isinstance(record, dict)
    assert body.tell() == len(data)
    record["source"] = Source(record["source"])
    return Trade(**record)


@given(usual)
def test_a_usual_trade_is_decoded_as_it_was_encoded(trade: Trade) -> None:
    data = TradeEncoder(7)(trade)
    assert plain_trade(data) == trade == slowly(data)


@given(arbitrary)
def test_any_other_trade_is_the_same_or_left_to_fastavro(trade: Trade) -> None:
    assert plain_trade(TradeEncoder(7)(trade)) in (None, trade)


@given(usual, st.lists(st.tuples(st.integers(5, 200), st.integers(0, 255)), min_size=1, max_size=4))
def test_of_changed_bytes_nothing_is_made_that_fastavro_would_not_make(
    trade: Trade, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(TradeEncoder(7)(trade))
    for place, byte in changes:
        data[5 + (place - 5) % (len(data) - 5)] = byte
    found = plain_trade(bytes(data))
    if found is not None:
        # NaN is no number that equals itself: compare what it looks like.
        assert repr(found) == repr(slowly(bytes(data)))


@given(usual, st.integers(0, 100), st.binary(max_size=9))
def test_too_few_or_too_many_bytes_are_no_trade(trade: Trade, cut: int, more: bytes) -> None:
    data = TradeEncoder(7)(trade)
    assert plain_trade(data[: min(cut, len(data) - 1)]) is None
    if more:
        found = plain_trade(data + more)
        assert found is None or repr(found) == repr(slowly(data + more))


@given(st.binary(max_size=120))
def test_bytes_of_any_kind_raise_nothing(data: bytes) -> None:
    assert plain_trade(data) is None


@pytest.mark.parametrize(
    "changes",
    [{"event_type": "aggTrade"}, {"trade_id": 5}, {"received_time": 0}, {"event_time": -1}, {"symbol": "X" * 70}],
)
def test_shapes_that_are_left_to_fastavro(changes: dict[str, object]) -> None:
    assert plain_trade(TradeEncoder(7)(USUAL)) == USUAL
    assert plain_trade(TradeEncoder(7)(msgspec.structs.replace(USUAL, **changes))) is None
