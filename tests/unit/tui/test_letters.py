"""Letters and records as pages and rows: everything is there, and nothing hostile is."""

import csv
import io
import json
import unicodedata

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.details import Detail
from cryptostreamx_tui.format import plain, wrap
from cryptostreamx_tui.letters import (
    explanation,
    letter_detail,
    letter_export,
    plan_detail,
    replay_question,
    searched,
    source,
    stage,
)
from cryptostreamx_tui.records import record_detail, record_export, way
from pipeline.broker.messages import Shown
from pipeline.broker.page import Record
from pipeline.broker.replay import Plan
from pipeline.broker.replayed import SENDING, SENT, Mark, identity
from pipeline.model import DeadLetter, Header
from pipeline.schemas.decode import Decoder
from tests.tui import broker, fakes
from tests.tui.fakes import NOON

CONNECT, PRODUCER = fakes.letters(NOON).letters
MARK = Mark("dlq-producer/0@7", PRODUCER.timestamp, SENT, NOON, "binance_trade/0@12")


def text_of(detail: Detail, width: int = 100) -> str:
    return "\n".join(plain(line) for line in detail.lines(width))


def test_a_letter_has_reason_headers_record_and_bytes() -> None:
    topics = broker.Topics()
    shown = text_of(letter_detail(CONNECT, topics.decode(CONNECT.key, CONNECT.value)))
    assert "__connect.errors.exception.class.name" in shown
    assert "unknown schema id 1" in shown
    assert "000000  00 00 00 00 01 0a 74 72" in shown
    assert "not decoded" in shown
    assert "no record of schema 1 (cryptostreamx.BinanceTrade)" in shown
    assert (source(CONNECT), stage(CONNECT), stage(PRODUCER)) == (
        "binance_trade/0@5120", "VALUE_CONVERTER", "quality",
    )  # fmt: skip
    assert explanation(PRODUCER) == "p is not a plain decimal: 'NaN'"
    frame = text_of(letter_detail(PRODUCER, topics.decode(PRODUCER.key, PRODUCER.value), MARK))
    assert "bad_number" in frame
    assert "Frame · 89 B · JSON" in frame
    assert '\n       "p": "NaN"' in frame, "indented, as JSON is read"
    assert "replayed to binance_trade/0@12 at 2024-08-08 12:04:31.000 UTC" in frame


def test_before_it_is_decoded_the_bytes_are_there() -> None:
    shown = text_of(letter_detail(CONNECT))
    assert "decoding …" in shown
    assert "000000  00 00 00 00 01 0a 74 72" in shown


def test_a_letter_without_value_and_one_with_a_stack_trace() -> None:
    headers = (Header("__connect.errors.exception.stacktrace", b"a\n\tat b\nCaused by: c\n"),)
    shown = text_of(letter_detail(DeadLetter("dlq-clickhouse", 0, 1, NOON, None, None, headers)))
    assert "none (a tombstone)" in shown
    assert "Caused by: c" in shown
    assert "none" in shown


def test_a_filter_finds_every_part() -> None:
    text = searched(CONNECT)
    for word in ("dlq-clickhouse/0@0", "value_converter", "unknown schema id 1", "ethusdt", "binance_trade/0@5120"):
        assert word in text


def test_letters_as_rows_of_a_file() -> None:
    export = letter_export([CONNECT, PRODUCER], {identity(PRODUCER): MARK})
    lines = [json.loads(line) for line in export.encode("jsonl").splitlines()]
    assert lines[0]["value_base64"] == "AAAAAAEKdHJhZGX//g=="
    assert lines[0]["headers"][0] == {"key": "__connect.errors.topic", "value": "binance_trade"}
    assert (lines[0]["replayed"], lines[1]["replayed"]) == (None, "replayed to binance_trade/0@12")
    assert (lines[1]["source"], lines[1]["field"]) == (None, "p")
    rows = list(csv.DictReader(io.StringIO(export.encode("csv").decode())))
    assert json.loads(rows[0]["headers"]) == lines[0]["headers"]
    odd = DeadLetter("t", 0, 1, NOON, b"\xff", None, (Header("h", b"\xff"), Header("n", None)))
    (line,) = letter_export([odd], {}).encode("jsonl").splitlines()
    assert json.loads(line)["headers"] == [
        {"key": "h", "value": "\\xff", "value_base64": "/w=="},
        {"key": "n", "value": None},
    ]


def test_the_dry_run_says_what_and_why() -> None:
    plan = Plan(PRODUCER, None, "binance_trade", b"K", b"abc", (("from", b"x"), ("none", None)), NOON, ("it is late",))
    shown = text_of(plan_detail(plan, None))
    for words in (
        "Nothing was sent yet",
        "binance_trade",
        "header from",
        "3 B",
        "it is late",
        "2024-08-08 12:04:31.000",
    ):
        assert words in shown
    assert "done before" not in shown
    assert replay_question(plan, None) == "Replay dlq-producer/0@7 to binance_trade?"
    assert "replayed to binance_trade/0@12" in text_of(plan_detail(plan, MARK))
    assert "was replayed before" in replay_question(plan, MARK)
    unsure = msgspec.structs.replace(MARK, state=SENDING, target="")
    assert "may have been replayed before" in replay_question(plan, unsure)
    assert "A SECOND TIME" in replay_question(plan, unsure)
    refused = text_of(plan_detail(Plan(PRODUCER, "it would be refused again"), None))
    assert "It cannot be replayed" in refused
    assert "it would be refused again" in refused
    assert "p is not a plain decimal" in refused


def test_a_record_whole() -> None:
    topics = broker.trading(NOON)
    record = topics.records["binance_trade"][3]
    both = topics.decode(record.key, record.value)
    shown = text_of(record_detail(Shown(record, *both), both))
    for words in ("binance_trade", "create time", "Value · ", "Avro · schema 1 · cryptostreamx.BinanceTrade"):
        assert words in shown
    assert '     "trade_id": 1003' in shown
    assert '"name": "BinanceTrade"' in shown
    assert "000000  00 00 00 00 01" in shown
    windowed = topics.records["dlq-producer"][2]
    assert "text · and a window's start, 2024-08-08 12:04:00.000 UTC" in text_of(
        record_detail(Shown(windowed, *topics.decode(windowed.key, windowed.value)), topics.decode(windowed.key, None))
    )
    topics.registry.away = True
    away = Decoder(topics.registry).value(record.value)  # type: ignore[arg-type]
    assert "connection refused" in text_of(record_detail(Shown(record, both[0], away), (both[0], away)))


def test_records_as_rows_of_a_file() -> None:
    topics = broker.trading(NOON)
    record = topics.records["binance_trade"][3]
    export = record_export("binance_trade", [(record, *topics.decode(record.key, record.value))])
    (line,) = [json.loads(line) for line in export.encode("jsonl").splitlines()]
    assert (line["offset"], line["key"], line["schema_id"], line["value_read_as"]) == (3, "ETHUSDT", 1, "avro")
    assert json.loads(line["value"])["trade_id"] == 1003
    assert record_export("a/../b\x1b[0m", []).name == "a____b__0m"


@given(st.binary(max_size=300), st.text(max_size=60), st.binary(max_size=60))
def test_any_letter_and_any_record_can_be_shown(value: bytes, key: str, header: bytes) -> None:
    headers = (Header(key, header), Header("error.reason", header), Header("__connect.errors.topic", None))
    letter = DeadLetter("dlq-producer", 0, 1, NOON, header, value, headers)
    record = Record(key, 0, 1, None, "", header, value, headers)
    both = Decoder(None).key(header), Decoder(None).value(value)
    for detail in (
        letter_detail(letter),
        letter_detail(letter, both),
        record_detail(Shown(record, *both), both),
        plan_detail(Plan(letter, None, key, header, value, ((key, header),), None, (key,)), MARK),
        plan_detail(Plan(letter, key), None),
    ):
        for line in detail.lines(60):
            assert not any(unicodedata.category(char) == "Cc" or char in "\u202e\u2066" for char in plain(line))
    assert way(both[1])
    assert letter_export([letter], {}).encode("jsonl")


def test_what_is_indented_stays_indented() -> None:
    assert wrap("a\n   b c d\n", 6) == ["a", "   b c", "   d", ""]
    assert wrap("        deep", 6) == wrap("deep", 6)
