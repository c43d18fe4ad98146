from dataclasses import dataclass

import pytest

from pipeline.broker.records import Batch
from pipeline.events import DeadLettersRead, ReadTrade, TradesRead, WindowsRead
from pipeline.model import Header, Trade, Window
from pipeline.schemas.codec import CodecError
from pipeline.schemas.registry import RegistryError
from tests.unit.windows.trades import trade


@dataclass
class Record:
    name: str
    data: bytes | None
    at: int = 0
    stamp: int = 1_000
    header_list: list[tuple[str, bytes | None]] | None = None

    def topic(self) -> str:
        return self.name

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 1, self.stamp

    def key(self) -> bytes | None:
        return b"key"

    def value(self) -> bytes | None:
        return self.data

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self.header_list


def window(end: int) -> Window:
    return Window("BTCUSDT", end - 60_000, end, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


HEAD = b"\x00\x00\x00\x01\x02"
"""Of a value in the registry's wire format: schema id 258."""


def decode_trade(data: bytes) -> Trade:
    data = data.removeprefix(HEAD)
    if not data.isdigit():
        raise CodecError(f"no trade: {data!r}\x1b")
    if data == b"99":
        raise RegistryError(0, "connection refused", "", "read schema 99", "http://registry")
    return trade(int(data), 0)


def decode_window(data: bytes) -> Window:
    return window(int(data))


@pytest.fixture
def batch() -> Batch:
    return Batch(decode_trade, decode_window)


def test_batches_by_kind_oldest_first_and_then_is_empty(batch: Batch) -> None:
    batch.add(Record("binance_trade", HEAD + b"2", at=5, stamp=2_000))
    batch.add(Record("binance_trade", HEAD + b"1", at=9, stamp=1_000))
    batch.add(Record("binance_trade_agg_5m", b"360000"))
    batch.add(Record("binance_trade_agg_1m", b"120000"))
    batch.add(Record("dlq-producer", b"\xff", 3, 4_000, [("error.reason", b"not_json"), ("x", None)]))
    batch.add(Record("dlq-clickhouse", None, 1, 3_000))
    trades, windows, letters = batch.take(77)
    assert trades == TradesRead(
        (ReadTrade(trade(1, 0), 0, 9, 1_000, schema_id=258), ReadTrade(trade(2, 0), 0, 5, 2_000, schema_id=258)), 77
    )
    assert windows == WindowsRead((window(120_000), window(360_000)), 77)
    assert isinstance(letters, DeadLettersRead)
    assert [(letter.topic, letter.offset, letter.value) for letter in letters.letters] == [
        ("dlq-clickhouse", 1, None),
        ("dlq-producer", 3, b"\xff"),
    ]
    assert letters.letters[1].headers == (Header("error.reason", b"not_json"), Header("x", None))
    assert letters.letters[1].reason == "not_json"
    assert batch.take(78) == []


@pytest.mark.parametrize("data", [b"junk", b"", None])
def test_an_undecodable_record_is_counted_and_passed_over(batch: Batch, data: bytes | None) -> None:
    batch.add(Record("binance_trade", data, at=4))
    assert batch.take(0) == []
    assert batch.undecodable == 1
    assert batch.last_undecodable is not None
    assert batch.last_undecodable.startswith("binance_trade[0] offset 4: no trade")
    assert "\x1b" not in batch.last_undecodable


def test_a_registry_that_is_away_is_not_the_records_fault(batch: Batch) -> None:
    with pytest.raises(RegistryError):
        batch.add(Record("binance_trade", b"99"))
    assert batch.undecodable == 0
