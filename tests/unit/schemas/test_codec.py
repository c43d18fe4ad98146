"""The codec: our encoder against fastavro, round trips, older writers, and bytes that are no record."""

import io
import math
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Source, Trade, Window
from pipeline.schemas.codec import CodecError, TradeDecoder, TradeEncoder, WindowDecoder, WindowEncoder
from pipeline.schemas.registry import Registry, RegistryError
from pipeline.schemas.subjects import SUBJECTS, load_schema

TRADE = Trade(
    "trade", 1723161255343, "BTCUSDT", 3735683259, 61837.63, 0.02, 1723161255342, True, True, 1723161254087, Source.WS
)
WINDOW = Window("BTCUSDT", 1723161240000, 1723161300000, 3, 0.7, 2.0, 1.0, 3.0, 1.5, 2.5, 2.25)

longs = st.integers(-(2**63), 2**63 - 1)
doubles = st.floats(allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
trades = st.builds(
    Trade, texts, longs, texts, longs, doubles, doubles, longs, st.booleans(), st.booleans(), longs,
    st.sampled_from(Source),
)  # fmt: skip


class SchemasById(Registry):
    """A registry that answers from a dict, for what the decoder asks."""

    def __init__(self, schemas: dict[int, dict[str, Any]], error: RegistryError | None = None) -> None:
        self.asked: list[int] = []
        self._known, self._error = schemas, error

    def schema(self, schema_id: int) -> dict[str, Any]:
        self.asked.append(schema_id)
        if self._error:
            raise self._error
        if schema_id not in self._known:
            raise RegistryError(
                40403, f"Schema {schema_id} not found", "", f"read schema {schema_id}", "http://registry"
            )
        return self._known[schema_id]


def registry() -> SchemasById:
    return SchemasById({7: load_schema("binance_trade"), 8: load_schema("binance_trade_agg")})


def by_fastavro(trade: Trade, schema_id: int) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, load_schema("binance_trade"), msgspec.structs.asdict(trade))
    return b"\0" + schema_id.to_bytes(4, "big") + body.getvalue()


@given(trades, st.integers(0, 2**32 - 1))
def test_our_encoder_writes_what_fastavro_writes(trade: Trade, schema_id: int) -> None:
    assert TradeEncoder(schema_id)(trade) == by_fastavro(trade, schema_id)


@pytest.mark.parametrize("value", [0, 1, -1, 63, 64, 8191, 8192, 2**20, 2**63 - 1, -(2**63)])
def test_longs_at_the_edges_of_their_coding(value: int) -> None:
    trade = msgspec.structs.replace(
        TRADE, event_time=value, trade_id=value, trade_time=-value if value > 0 else value, received_time=value
    )
    assert TradeEncoder(1)(trade) == by_fastavro(trade, 1)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**80])
def test_more_than_64_bits_is_refused(value: int) -> None:
    with pytest.raises(OverflowError, match="64 bits"):
        TradeEncoder(1)(msgspec.structs.replace(TRADE, trade_id=value))


@given(trades)
def test_a_trade_comes_back_as_it_was(trade: Trade) -> None:
    assert TradeDecoder(registry())(TradeEncoder(7)(trade)) == trade


def test_a_window_comes_back_as_it_was() -> None:
    decode = WindowDecoder(registry())
    assert decode(WindowEncoder(8)(WINDOW)) == WINDOW


def test_a_window_with_a_wrong_type_is_refused() -> None:
    with pytest.raises(CodecError, match="BTCUSDT"):
        WindowEncoder(8)(msgspec.structs.replace(WINDOW, trade_count="3"))


def test_a_decoded_source_is_the_enum() -> None:
    trade = msgspec.structs.replace(TRADE, source=Source.REST)
    assert TradeDecoder(registry())(TradeEncoder(7)(trade)).source is Source.REST


def test_a_record_written_before_our_fields_were_there_takes_their_defaults() -> None:
    schema = load_schema("binance_trade")
    schema["fields"] = [f for f in schema["fields"] if f["name"] not in ("received_time", "source")]
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, msgspec.structs.asdict(TRADE))
    decoded = TradeDecoder(SchemasById({3: schema}))(b"\0\0\0\0\3" + body.getvalue())
    assert decoded == msgspec.structs.replace(TRADE, received_time=0, source=Source.WS)


def test_a_schema_is_asked_for_once() -> None:
    known = registry()
    decode = TradeDecoder(known)
    frame = TradeEncoder(7)(TRADE)
    assert decode(frame) == decode(frame)
    assert known.asked == [7]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "too short"),
        (b"\0\0\0\0", "too short"),
        (b"\1\0\0\0\7abc", "byte 1"),
        (b'{"e":"trade"}', "wire format"),
        (b"\0\0\0\0\7", "Avro"),
        (TradeEncoder(7)(TRADE)[:-1], "Avro"),
        (TradeEncoder(7)(TRADE)[:20], "Avro"),
        (TradeEncoder(7)(TRADE) + b"\0", "1 bytes follow"),
        (b"\0\0\0\0\7\x04\xff\xfe" + b"\0" * 40, "Avro"),
        (b"\0\0\0\0\7" + b"\xff" * 50, "Avro"),
        (TradeEncoder(8)(TRADE), "written as cryptostreamx.BinanceTradeAgg, which cannot be read as"),
    ],
)
def test_bytes_that_are_no_trade_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(CodecError, match=words):
        TradeDecoder(registry())(data)


@given(st.binary(max_size=120))
def test_arbitrary_bytes_never_raise_anything_else(data: bytes) -> None:
    decode = TradeDecoder(registry())
    for frame in (data, b"\0\0\0\0\7" + data):
        try:
            trade = decode(frame)
        except CodecError:
            continue
        assert isinstance(trade.symbol, str)
        assert isinstance(trade.source, Source)


def test_an_unknown_id_is_the_records_fault_and_keeps_the_registrys_words() -> None:
    missing = RegistryError(40403, "Schema 9 not found", "", "read schema 9", "http://registry")
    with pytest.raises(CodecError, match="Schema 9 not found"):
        TradeDecoder(SchemasById({}, missing))(b"\0\0\0\0\x09abc")


@pytest.mark.parametrize("code", [0, 500, 50001, 401, 404])
def test_a_registry_that_cannot_tell_now_is_not_the_records_fault(code: int) -> None:
    with pytest.raises(RegistryError):
        TradeDecoder(SchemasById({}, RegistryError(code, "no", "", "read schema 9", "http://registry")))(
            b"\0\0\0\0\x09a"
        )


def test_a_writer_schema_that_is_none_is_refused() -> None:
    broken = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "no_such_type"}]}
    with pytest.raises(CodecError, match="no_such_type"):
        TradeDecoder(SchemasById({4: broken}))(b"\0\0\0\0\4abc")


def test_the_schemas_fields_are_the_structs_fields() -> None:
    for name, struct in (("binance_trade", Trade), ("binance_trade_agg", Window)):
        assert [f["name"] for f in load_schema(name)["fields"]] == [f.name for f in msgspec.structs.fields(struct)]


def test_every_topic_with_avro_has_a_subject() -> None:
    assert SUBJECTS == {
        "binance_trade-value": "binance_trade",
        "binance_trade_agg_1m-value": "binance_trade_agg",
        "binance_trade_agg_5m-value": "binance_trade_agg",
    }


def test_infinite_prices_survive_the_codec() -> None:
    # The codec is no judge of values: that is the feed's work, before it.
    assert math.isinf(TradeDecoder(registry())(TradeEncoder(7)(msgspec.structs.replace(TRADE, price=math.inf))).price)
