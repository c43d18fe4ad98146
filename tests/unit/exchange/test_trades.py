import json
from pathlib import Path

import pytest

from pipeline.exchange.recording import read
from pipeline.exchange.trades import (
    UNIT,
    Frame,
    MadeTrade,
    decimal,
    frame_of,
    rendered,
    trade_frame,
    trade_of,
)

TEXT = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,'
    b'"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
)
TRADE = MadeTrade("BTCUSDT", 3735683259, 6183763000000, 2000000, 1723161255343, 1723161255342, True)


def test_a_trade_is_written_as_binance_writes_it() -> None:
    assert trade_frame(TRADE) == Frame("btcusdt", TEXT)


def test_a_trade_is_read_back() -> None:
    assert trade_of(TEXT) == TRADE
    assert trade_of(rendered(TEXT, combined=False, microseconds=False)) == TRADE


def test_every_recorded_trade_comes_back_byte_for_byte(recorded: Path) -> None:
    for _, text in read(recorded / "trades.frames.gz"):
        trade = trade_of(text)
        assert trade is not None
        assert trade_frame(trade).text == text


def test_non_ascii_symbols_keep_their_letters() -> None:
    frame = trade_frame(TRADE._replace(symbol="币安人生USDT"))
    assert frame.symbol == "币安人生usdt"
    assert json.loads(frame.text)["stream"] == "币安人生usdt@trade"
    assert frame_of(frame.text) == frame


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.00000000"), (1, "0.00000001"), (UNIT, "1.00000000"), (452, "0.00000452")]
)
def test_decimals(value: int, text: str) -> None:
    assert decimal(value) == text


def test_raw_streams_carry_the_payload_alone() -> None:
    raw = rendered(TEXT, combined=False, microseconds=False)
    assert raw.startswith(b'{"e":"trade"')
    assert json.loads(raw) == json.loads(TEXT)["data"]


def test_microseconds_multiply_both_times() -> None:
    data = json.loads(rendered(TEXT, combined=True, microseconds=True))["data"]
    assert (data["E"], data["T"], data["t"]) == (1723161255343000, 1723161255342000, 3735683259)


@pytest.mark.parametrize("text", [b"", b"null", b"{", b'{"stream":', b'"data":1}'])
def test_a_text_that_is_no_combined_frame_stays_as_it_is(text: bytes) -> None:
    assert rendered(text, combined=False, microseconds=False) == text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"e":"trade"}',
        b"[" * 100_000 + b'"trade"',
        TEXT.replace(b'"61837.63000000"', b'"NaN"'),
        TEXT.replace(b'"61837.63000000"', b'"99999999999.00000000"'),  # beyond 64 bits in units of 10^-8
        TEXT.replace(b'"0.02000000"', '"١.٠"'.encode()),
        TEXT.replace(b"3735683259", b"-1"),
        TEXT.replace(b"3735683259", b"9223372036854775808"),
        TEXT.replace(b'"e":"trade"', b'"e":"aggTrade","x":"trade"'),
        TEXT[:-3],
    ],
)
def test_what_is_no_servable_trade_is_none(text: bytes) -> None:
    assert trade_of(text) is None


def test_the_symbol_of_a_recorded_text() -> None:
    assert frame_of(b'{"stream":"ethusdt@bookTicker","data":{}}').symbol == "ethusdt"
    assert frame_of(b'{"e":"trade","s":"ETHUSDT"}').symbol == "ethusdt"
    assert frame_of(b'{"result":null,"id":1}').symbol is None
