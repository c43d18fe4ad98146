"""What a replay would do, told before it is done; and the sending, into librdkafka's mock cluster."""

import json
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer

from pipeline.broker import replay as module
from pipeline.broker.replay import REPLAYED_FROM, Codec, NotSentError, PerhapsSentError, Plan, plan, send
from pipeline.model import PRODUCER_DLQ, SINK_DLQ, TRADE_TOPIC, DeadLetter, Header, Source, Trade, Window
from pipeline.schemas.codec import CodecError, TradeEncoder
from pipeline.schemas.registry import RegistryError
from tests.unit.producer.kafka_mock import MockCluster

E = 1_723_118_671_000
NOW = E + 60_000
TOPICS = (TRADE_TOPIC, "binance_trade_agg_1m", PRODUCER_DLQ, SINK_DLQ)
GOOD = {
    "e": "trade", "E": E, "s": "BTCUSDT", "t": 7, "p": "61837.63000000", "q": "0.02000000", "T": E - 1, "m": True,
    "M": True,
}  # fmt: skip
TRADE = Trade("trade", E, "BTCUSDT", 7, 61837.63, 0.02, E - 1, True, True, E + 40, Source.WS)


def codec(trade: Any = TRADE) -> Codec:
    def decode(data: bytes) -> Trade:
        if isinstance(trade, Exception):
            raise trade
        assert data == b"original"
        assert isinstance(trade, Trade)
        return trade

    def window(data: bytes) -> Window:
        return Window("BTCUSDT", E, E + 60_000, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)

    return Codec(decode, window, TradeEncoder(3))


def refused(reason: str = "unknown_symbol", frame: bytes | None = None, **changes: object) -> DeadLetter:
    data = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    made = json.dumps({"stream": "btcusdt@trade", "data": data}).encode() if frame is None else frame
    headers = (Header("error.reason", reason.encode()), Header("received_time", str(E + 40).encode()))
    return DeadLetter(PRODUCER_DLQ, 0, 7, E + 50, b"BTCUSDT", made, headers)


def unwritten(topic: bytes = b"binance_trade", stage: bytes = b"VALUE_CONVERTER", *more: Header) -> DeadLetter:
    headers = (
        Header("trace", b"1"),
        *more,
        Header("__connect.errors.topic", topic),
        Header("__connect.errors.partition", b"0"),
        Header("__connect.errors.stage", stage),
    )
    return DeadLetter(SINK_DLQ, 0, 3, E + 90, b"BTCUSDT", b"original", headers)


def made(letter: DeadLetter, *, symbols: tuple[str, ...] = ("BTCUSDT",), trade: Any = TRADE, now: int = NOW) -> Plan:
    return plan(letter, TOPICS, symbols, codec(trade), now)


# ---------------------------------------------------------------- the dry run


def test_what_the_sink_could_not_write_goes_back_as_it_was() -> None:
    letter = unwritten(b"binance_trade", b"TASK_PUT", Header(REPLAYED_FROM, b"dlq-clickhouse/0@1"))
    found = made(letter)
    assert found.refusal is None
    assert (found.target, found.key, found.value) == (TRADE_TOPIC, b"BTCUSDT", b"original")
    assert found.timestamp == E, "as the producer gave it"
    assert found.headers == (("trace", b"1"), (REPLAYED_FROM, b"dlq-clickhouse/0@3"))
    assert "it decodes as trade 7 of BTCUSDT: 0.02 at 61837.63" in found.facts
    assert any("only trying shows" in fact for fact in found.facts)
    window = made(unwritten(b"binance_trade_agg_1m"))
    assert (window.refusal, window.timestamp, window.target) == (None, E, "binance_trade_agg_1m")


@pytest.mark.parametrize(
    ("letter", "trade", "says"),
    [
        (unwritten(), CodecError("8 bytes follow"), "it would be refused again: 8 bytes follow"),
        (unwritten(b"dlq-clickhouse"), TRADE, "nothing is replayed into dlq-clickhouse"),
        (unwritten(b"__consumer_offsets"), TRADE, "nothing is replayed into __consumer_offsets"),
        (unwritten(b"elsewhere\x1b[0m"), TRADE, r"there is no topic elsewhere\x1b[0m"),
        (DeadLetter(SINK_DLQ, 0, 1, E, None, b"x"), TRADE, "it does not say where it came from"),
        (DeadLetter(SINK_DLQ, 0, 1, E, None, None), TRADE, "it has no value"),
    ],
)
def test_what_cannot_go_back_says_why(letter: DeadLetter, trade: Any, says: str) -> None:
    assert says in str(made(letter, trade=trade).refusal)


def test_a_registry_that_is_away_says_nothing_of_the_letter() -> None:
    with pytest.raises(RegistryError):
        made(unwritten(), trade=RegistryError(0, "refused", "", "read schema 1", "http://registry"))


def test_a_refused_frame_that_passes_now_is_encoded() -> None:
    found = made(refused())
    assert found.refusal is None
    assert (found.target, found.key, found.timestamp) == (TRADE_TOPIC, b"BTCUSDT", E)
    assert found.value == TradeEncoder(3)(TRADE), "with the time at which it arrived"
    assert found.headers == ((REPLAYED_FROM, b"dlq-producer/0@7"),)
    assert "it passes now as trade 7 of BTCUSDT: 0.02 at 61837.63" in found.facts


@pytest.mark.parametrize(
    ("letter", "says"),
    [
        (refused(p="NaN"), "it would be refused again: bad_number: p = 'NaN' is no plain decimal"),
        (refused(p="0.0"), "it would be refused again: out_of_range: a price of zero"),
        (refused(E=E * 1000), "it would be refused again: wrong_unit"),
        (refused(s="ETHUSDT"), "it would be refused again: wrong_stream"),
        (refused(frame=b"\x1b[0m"), "it would be refused again: not_json"),
        (refused(frame=b'{"result":null,"id":1}'), "it is no trade"),
        (refused("duplicate"), "was accepted before"),
    ],
)
def test_a_refused_frame_that_would_be_refused_again_says_why(letter: DeadLetter, says: str) -> None:
    found = made(letter)
    assert says in str(found.refusal)
    assert found.value == b""


def test_a_symbol_must_be_asked_for_now() -> None:
    assert "unknown_symbol: 'BTCUSDT' was not asked for" in str(made(refused(), symbols=("ETHUSDT",)).refusal)


def test_a_frame_that_was_cut_is_not_sent() -> None:
    letter = DeadLetter(PRODUCER_DLQ, 0, 1, E, None, b"{}", (Header("error.truncated", b"900000 of 1000000 bytes"),))
    assert "only a part of the frame was kept: 900000 of 1000000 bytes" in str(made(letter).refusal)


@pytest.mark.parametrize("stamp", [b"", b"12x", b"9" * 30, "٣".encode()])
def test_an_arrival_that_is_not_told_is_the_letters_own_time(stamp: bytes) -> None:
    letter = refused()
    letter = DeadLetter(letter.topic, 0, 7, E + 50, None, letter.value, (Header("received_time", stamp),))
    assert made(letter).value == TradeEncoder(3)(
        Trade("trade", E, "BTCUSDT", 7, 61837.63, 0.02, E - 1, True, True, E + 50, Source.WS)
    )


# ---------------------------------------------------------------- sending


@pytest.fixture(scope="module")
def cluster() -> MockCluster:
    return MockCluster()


def test_a_letter_is_sent_as_planned_where_the_producer_sends_its_key(cluster: MockCluster) -> None:
    kafka = {"bootstrap.servers": cluster.bootstrap}
    producer = Producer(kafka | {"partitioner": "murmur2_random"})
    producer.produce(TRADE_TOPIC, b"before", b"BTCUSDT")
    assert producer.flush(10) == 0
    place = send(made(unwritten()), kafka)
    first, second = cluster.read(TRADE_TOPIC, 2)
    assert (second.key(), second.value(), second.timestamp()[1]) == (b"BTCUSDT", b"original", E)
    assert second.headers() == [("trace", b"1"), (REPLAYED_FROM, b"dlq-clickhouse/0@3")]
    assert first.partition() == second.partition()
    assert place == f"{TRADE_TOPIC}/{second.partition()}@{second.offset()}"


def test_what_is_too_large_is_certainly_not_sent(cluster: MockCluster) -> None:
    large = Plan(unwritten(), None, TRADE_TOPIC, None, b"x" * (3 * 1024 * 1024))
    with pytest.raises(NotSentError, match="MSG_SIZE_TOO_LARGE"):
        send(large, {"bootstrap.servers": cluster.bootstrap})


def test_without_an_acknowledgement_nobody_knows() -> None:
    with pytest.raises(PerhapsSentError, match="may have been written"):
        send(made(unwritten()), {"bootstrap.servers": "127.0.0.1:1"}, seconds=0.5)


def test_a_refusal_of_the_broker_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, _config: object) -> None:
            self._deliver: Any = None

        def produce(self, *_: object, on_delivery: Any, **__: object) -> None:
            self._deliver = on_delivery

        def flush(self, _seconds: float) -> int:
            self._deliver(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), None)
            return 0

    monkeypatch.setattr(module, "Producer", Refusing)
    with pytest.raises(NotSentError, match="TOPIC_AUTHORIZATION_FAILED"):
        send(made(unwritten()), {})
