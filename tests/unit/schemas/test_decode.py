import io
import json
import struct
from decimal import Decimal
from typing import Any, cast

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schemas.codec import TradeEncoder
from pipeline.schemas.decode import AVRO, EMPTY, HEX, JSON, NULL, SHALLOW, TEXT, Decoder
from pipeline.schemas.registry import RegistryError
from pipeline.schemas.subjects import load_schema
from tests.unit.windows.trades import trade

SCHEMAS: dict[int, tuple[str, str]] = {
    1: ("AVRO", json.dumps(load_schema("binance_trade"))),
    2: ("AVRO", '"string"'),
    3: ("PROTOBUF", 'syntax = "proto3";'),
    4: ("AVRO", '{"type": "nonsense"}'),
    5: (
        "AVRO",
        json.dumps(
            {
                "type": "record",
                "name": "Order",
                "namespace": "shop",
                "fields": [
                    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                    {"name": "sum", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
                    {"name": "raw", "type": "bytes"},
                    {"name": "next", "type": ["null", "Order"]},
                ],
            }
        ),
    ),
}


class Registry:
    """Knows ``SCHEMAS``; can be away; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.away = False

    def schema_text(self, schema_id: int) -> tuple[str, str]:
        self.asked.append(schema_id)
        if self.away:
            raise RegistryError(0, "connection refused", "", f"read schema {schema_id}", "http://registry")
        if schema_id not in SCHEMAS:
            raise RegistryError(40403, "Schema not found", "", f"read schema {schema_id}", "http://registry")
        return SCHEMAS[schema_id]


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def decoder(registry: Any = None, clock: Any = None) -> Decoder:
    return Decoder(registry or cast("Any", Registry()), clock or Clock())


def framed(schema_id: int, record: Any) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(json.loads(SCHEMAS[schema_id][1])), record)
    return struct.pack(">bI", 0, schema_id) + body.getvalue()


def test_a_trade_reads_as_avro_with_its_schema() -> None:
    found = decoder().value(TradeEncoder(1)(trade(7, 0)))
    assert (found.how, found.schema_id, found.schema_name) == (AVRO, 1, "cryptostreamx.BinanceTrade")
    assert found.schema is not None
    assert json.loads(found.schema) == load_schema("binance_trade")
    assert json.loads(found.text)["trade_id"] == 7
    assert found.line.startswith("event_type=trade event_time=1723161300000 symbol=BTCUSDT trade_id=7 price=100.0")
    assert "\n" in found.text
    assert "\n" not in found.line
    assert found.note is None


def test_any_schema_is_taken_and_every_type_shown() -> None:
    word = decoder().value(framed(2, "hello"))
    assert (word.how, word.text, word.schema_name) == (AVRO, '"hello"', "string")
    record = {"at": 1_723_118_671_000, "sum": Decimal("12.00"), "raw": b"\x00\xff", "next": None}
    order = decoder().value(framed(5, record | {"next": record}))
    assert order.schema_name == "shop.Order"
    shown = json.loads(order.text)
    assert shown["at"] == "2024-08-08T12:04:31+00:00"
    assert (shown["sum"], shown["raw"], shown["next"]["next"]) == ("12.00", "00ff", None)


@pytest.mark.parametrize(
    ("schema_id", "says"),
    [
        (3, "schema 3 cannot be used: ValueError: it is PROTOBUF, not Avro"),
        (4, "schema 4 cannot be used"),
        (9, "Schema not found (code 40403)"),
    ],
)
def test_what_cannot_be_decoded_is_shown_as_bytes_with_the_reason(schema_id: int, says: str) -> None:
    found = decoder().value(struct.pack(">bI", 0, schema_id) + b"abc")
    assert found.how == HEX
    assert found.line.startswith("00 00 00 00")
    assert found.schema_id == schema_id
    assert says in str(found.note)


def test_a_record_cut_short_and_one_too_long() -> None:
    whole = TradeEncoder(1)(trade(7, 0))
    cut = decoder().value(whole[:-3])
    assert (cut.how, cut.schema_name) == (HEX, "cryptostreamx.BinanceTrade")
    assert "no record of schema 1 (cryptostreamx.BinanceTrade)" in str(cut.note)
    more = decoder().value(whole + b"xy")
    assert (more.how, more.note) == (AVRO, "2 bytes follow")


def test_a_registry_that_is_away_is_not_asked_for_each_record() -> None:
    registry, clock = Registry(), Clock()
    reads = decoder(registry, clock)
    registry.away = True
    for schema_id in (1, 2, 1, 9):
        found = reads.value(struct.pack(">bI", 0, schema_id) + b"abc")
        assert "connection refused" in str(found.note)
    assert registry.asked == [1]
    registry.away = False
    assert reads.value(framed(2, "x")).how == HEX, "still the same five seconds"
    clock.seconds += 5
    assert reads.value(framed(2, "x")).how == AVRO
    reads.value(framed(2, "y"))
    assert registry.asked == [1, 2], "schemas never change: each is asked for once"
    reads.value(struct.pack(">bI", 0, 9) + b"abc")
    reads.value(struct.pack(">bI", 0, 9) + b"abc")
    assert registry.asked == [1, 2, 9]


def test_json_keeps_its_digits_and_its_doubled_names() -> None:
    found = decoder().value(b'{"p": 61837.63000000, "p":"NaN", "x": [1, {}]}')
    assert found.how == JSON
    assert '"p": 61837.63000000' in found.text
    assert '"p": "NaN"' in found.text
    assert found.line == '{"p": 61837.63000000, "p":"NaN", "x": [1, {}]}'


@pytest.mark.parametrize(
    ("data", "how", "text"),
    [
        (None, NULL, "null"),
        (b"", EMPTY, ""),
        (b"BTCUSDT", TEXT, "BTCUSDT"),
        ("币安人生USDT".encode(), TEXT, "币安人生USDT"),
        (b"{broken", TEXT, "{broken"),
        (b"[" * 100_000, TEXT, "[" * 100_000),
        (b"42", TEXT, "42"),
        (b"\x1b]0;x\x07", TEXT, "\x1b]0;x\x07"),
        (b"\xff\xfe", HEX, "ff fe"),
        (b"a\x00b", HEX, "61 00 62"),
        (b"\x00\x01", HEX, "00 01"),
        (b"\x01\x02\x03\x04", HEX, "01 02 03 04"),
    ],
)
def test_how_bytes_read(data: bytes | None, how: str, text: str) -> None:
    found = decoder().value(data)
    assert (found.how, found.text) == (how, text)


def test_a_windowed_key_is_its_key_and_its_start() -> None:
    start = 1_723_118_640_000
    found = decoder().key(b"BTCUSDT" + start.to_bytes(8, "big"))
    assert (found.how, found.text, found.window_start) == (TEXT, "BTCUSDT", start)
    assert decoder().key(b"BTCUSDTX12345678").window_start is None
    assert decoder().value(b"BTCUSDT" + start.to_bytes(8, "big")).window_start is None, "only keys have one"


def test_a_list_parses_no_megabyte() -> None:
    big = b'{"x":"' + b"y" * (SHALLOW + 1) + b'"}'
    listed = decoder().value(big, whole=False)
    assert listed.how == TEXT
    assert listed.line.startswith('{"x":"yyy')
    assert len(listed.line) == len(listed.text) <= 400
    assert decoder().value(big).how == JSON
    assert decoder().value(b"\xff" * (SHALLOW + 1), whole=False).how == HEX


@given(st.binary(max_size=400), st.sampled_from([1, 2, 5, 9]), st.booleans(), st.booleans())
def test_no_bytes_make_it_raise(data: bytes, schema_id: int, with_head: bool, whole: bool) -> None:
    data = struct.pack(">bI", 0, schema_id) + data if with_head else data
    for found in (DECODER.value(data, whole=whole), DECODER.key(data, whole=whole)):
        assert found.how in (AVRO, JSON, TEXT, HEX, EMPTY)
        assert len(found.line) <= 410


DECODER = Decoder(Registry())  # type: ignore[arg-type]
