"""Frame → trade → Avro, side by side: ours against json + float + fastavro. ``python -m benchmarks.decode``.

Prints microseconds a trade and the ratios; on a busy machine only the ratios mean anything.
"""

import io
import json
import timeit
from collections.abc import Callable

import fastavro
import msgspec

from pipeline.feed.quality import Quality
from pipeline.feed.wire import decode
from pipeline.model import Trade
from pipeline.schemas.codec import TradeDecoder, TradeEncoder
from pipeline.schemas.registry import Registry
from pipeline.schemas.subjects import load_schema

FRAME = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":%d,'
    b'"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
)
COUNT = 20_000
NOW = 1_723_161_256_000


class OneSchema(Registry):
    """Knows the trades' schema without asking anybody."""

    def __init__(self) -> None:
        self.trades = load_schema("binance_trade")

    def schema(self, schema_id: int) -> dict[str, object]:  # noqa: ARG002 - it has but one
        return self.trades


def microseconds(work: Callable[[], object]) -> float:
    """Return the best of five rounds, a trade."""
    return min(timeit.repeat(work, number=1, repeat=5)) / COUNT * 1e6


def main() -> None:
    frames = [FRAME % number for number in range(COUNT)]
    schema = fastavro.parse_schema(load_schema("binance_trade"))
    trade = decode(frames[0], NOW)
    assert isinstance(trade, Trade)
    record = msgspec.structs.asdict(trade)
    encode, read = TradeEncoder(1), TradeDecoder(OneSchema())
    encoded = encode(trade)

    def by_fastavro(values: dict[str, object]) -> bytes:
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema, values)
        return b"\0\0\0\0\1" + body.getvalue()

    def by_json(frame: bytes) -> dict[str, object]:
        data = json.loads(frame)["data"]
        return {
            "event_type": data["e"], "event_time": data["E"], "symbol": data["s"], "trade_id": data["t"],
            "price": float(data["p"]), "quantity": float(data["q"]), "trade_time": data["T"],
            "market_maker": data["m"], "ignore": data["M"], "received_time": NOW, "source": "ws",
        }  # fmt: skip

    def ours() -> None:
        judge = Quality(["BTCUSDT"]).judge
        for frame in frames:
            found = decode(frame, NOW)
            assert isinstance(found, Trade)
            if judge(found, frame) is None:
                encode(found)

    def theirs() -> None:
        for frame in frames:
            by_fastavro(by_json(frame))

    parts = {
        "decode (checked)": (lambda: [decode(frame, NOW) for frame in frames], lambda: [by_json(f) for f in frames]),
        "encode": (lambda: [encode(trade) for _ in frames], lambda: [by_fastavro(record) for _ in frames]),
        "decode, judge, encode": (ours, theirs),
    }
    print(f"{'us a trade':<24}{'ours':>8}{'json + float + fastavro':>26}{'ratio':>8}")
    for name, (mine, plain) in parts.items():
        a, b = microseconds(mine), microseconds(plain)
        print(f"{name:<24}{a:>8.2f}{b:>26.2f}{b / a:>8.1f}")
    reading = microseconds(lambda: [read(encoded) for _ in frames])
    print(f"{'read back':<24}{reading:>8.2f}{1e6 / reading:>22,.0f} trades/s")


if __name__ == "__main__":
    main()
