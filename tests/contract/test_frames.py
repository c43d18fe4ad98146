"""Frames between the exchange and the producer: what was recorded, what the simulated exchange breaks."""

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.exchange.malformed import MALFORMED
from pipeline.feed.examine import examine
from pipeline.feed.quality import Quality
from pipeline.feed.wire import Control, Ignored, decode
from pipeline.model import Reason, Rejection, Trade

FRAME = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,'
    b'"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
)
NOW = 1_723_161_256_000


def frames(path: Path) -> Iterator[tuple[int, bytes]]:
    with gzip.open(path) as lines:
        for line in lines:
            received, _, text = line.rstrip(b"\n").partition(b" ")
            yield int(received) // 1_000_000, text


def test_every_recorded_trade_is_accepted_once(recorded: Path) -> None:
    quality = Quality(["BTCUSDT", "ETHUSDT"])
    taken: Counter[str] = Counter()
    for received, text in frames(recorded / "trades.frames.gz"):
        trade = decode(text, received)
        assert isinstance(trade, Trade)
        assert trade == examine(text, received)
        assert quality.judge(trade, text) is None
        taken[trade.symbol] += 1
    assert taken == {"BTCUSDT": 9757, "ETHUSDT": 6106}
    assert {symbol: len(ranges) for symbol, ranges in quality.ids().items()} == {"BTCUSDT": 1, "ETHUSDT": 1}
    assert {s: last - first + 1 for s, ((first, last),) in quality.ids().items()} == taken


def test_a_recording_of_everything_alarms_nobody(recorded: Path) -> None:
    quality = Quality(["BTCUSDT", "ETHUSDT"])
    kinds: Counter[type] = Counter()
    for received, text in frames(recorded / "mixed-20s.frames.gz"):
        result = decode(text, received)
        assert not isinstance(result, Rejection), result
        kinds[type(result)] += 1
        if isinstance(result, Trade):
            assert quality.judge(result, text) is None
    assert kinds == {Trade: 641, Ignored: 3665}
    assert kinds[Control] == 0


EXPECTED: dict[str, Reason] = {
    "no price": Reason.MISSING_FIELD,
    "no trade id": Reason.MISSING_FIELD,
    "no event time": Reason.MISSING_FIELD,
    "price NaN in quotes": Reason.BAD_NUMBER,
    "price Infinity": Reason.BAD_NUMBER,
    "price 1e400": Reason.BAD_NUMBER,
    "bare NaN": Reason.NOT_JSON,
    "price with underscore": Reason.BAD_NUMBER,
    "Arabic digits": Reason.BAD_NUMBER,
    "true as a price": Reason.WRONG_TYPE,
    "5,000 digits": Reason.BAD_NUMBER,
    "negative price": Reason.OUT_OF_RANGE,
    "negative quantity": Reason.OUT_OF_RANGE,
    "m as text": Reason.WRONG_TYPE,
    "trade id 1.9": Reason.WRONG_TYPE,
    "trade id 2^63": Reason.OUT_OF_RANGE,
    "times in seconds": Reason.WRONG_UNIT,
    "times in microseconds": Reason.WRONG_UNIT,
    "aggTrade": Reason.WRONG_EVENT,
    "array": Reason.NOT_A_TRADE,
    "null": Reason.NOT_A_TRADE,
    "string": Reason.NOT_A_TRADE,
    "number": Reason.NOT_A_TRADE,
    "empty": Reason.NOT_JSON,
    "cut short": Reason.NOT_JSON,
    "trailing bytes": Reason.NOT_JSON,
    "byte order mark": Reason.NOT_JSON,
    "numeric symbol": Reason.WRONG_TYPE,
    "lone surrogate": Reason.NOT_JSON,
    "nested 100,000 deep": Reason.NOT_JSON,
    "duplicate keys": Reason.DUPLICATE_FIELD,
    "symbol of another stream": Reason.WRONG_STREAM,
    "1 MB of text": Reason.TOO_LARGE,
    "escape sequences": Reason.WRONG_STREAM,
    "NUL": Reason.WRONG_STREAM,
    "right-to-left override": Reason.WRONG_STREAM,
    "markup": Reason.WRONG_STREAM,
    "SQL quote": Reason.WRONG_STREAM,
    "empty symbol": Reason.WRONG_STREAM,
    "invalid UTF-8": Reason.NOT_JSON,
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_the_exchange_breaks_is_refused_with_its_reason(kind: str) -> None:
    result = decode(MALFORMED[kind](FRAME), NOW)
    assert isinstance(result, Rejection)
    assert result.reason is EXPECTED[kind]
    vetted = Quality(["BTCUSDT"]).vet(result)
    assert vetted.symbol in (None, "BTCUSDT")
