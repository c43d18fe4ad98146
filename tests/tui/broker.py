"""Topics in memory, for the interface: what ``pipeline.broker`` answers, over lists of records."""

import json
from collections.abc import Callable, Collection
from typing import Any, cast

from pipeline.broker.messages import Hits, Look, Question, Shown
from pipeline.broker.page import Page, Record, TopicView
from pipeline.broker.ranges import BrowseError
from pipeline.broker.replay import Plan
from pipeline.broker.replayed import SENT, AlreadyReplayedError, Mark, Marks, identity
from pipeline.broker.search import Found, seen
from pipeline.broker.start import Beginning, End, Offset, Time
from pipeline.model import DeadLetter, Header
from pipeline.schemas.codec import TradeEncoder
from pipeline.schemas.decode import Decoded, Decoder
from pipeline.schemas.registry import RegistryError
from pipeline.schemas.subjects import load_schema


class Registry:
    """Has the trades' schema as number 1; can be away."""

    def __init__(self) -> None:
        self.away = False

    def schema_text(self, schema_id: int) -> tuple[str, str]:
        if self.away:
            raise RegistryError(0, "connection refused", "", f"read schema {schema_id}", "http://registry")
        if schema_id != 1:
            raise RegistryError(40403, "Schema not found", "", f"read schema {schema_id}", "http://registry")
        return "AVRO", json.dumps(load_schema("binance_trade"))


class Topics:
    """Records by topic, all in partition 0 unless they say otherwise, in the order of their offsets."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.decoder = Decoder(cast("Any", self.registry))
        self.records: dict[str, list[Record]] = {}
        self.marks: dict[tuple[str, int], Mark] = {}
        self.plan: Plan | None = None
        """What a dry run says; without one it says what the letter's own bytes would do."""

    def add(self, topic: str, *records: Record) -> None:
        """Add records."""
        self.records.setdefault(topic, []).extend(records)

    def topics(self) -> tuple[TopicView, ...]:
        return tuple(
            TopicView(name, {0: (0, len(records)), 1: None} if name == "half" else {0: (0, len(records))}, 3, False)
            for name, records in sorted(self.records.items())
        )

    def open(self, question: Question, limit: int) -> Look:
        records = self._of(question)
        match question.start:
            case End():
                first = max(0, len(records) - limit)
            case Beginning():
                first = 0
            case Offset(offset):
                first = next((i for i, r in enumerate(records) if r.offset >= offset), len(records))
            case Time(ms):
                first = next((i for i, r in enumerate(records) if (r.timestamp or 0) >= ms), len(records))
        return self._look(question, first, min(len(records), first + limit))

    def newer(self, question: Question, page: Page, limit: int) -> Look:
        return self._look(question, page.ends[0], min(len(self._of(question)), page.ends[0] + limit))

    def older(self, question: Question, page: Page, limit: int) -> Look:
        return self._look(question, max(0, page.begins[0] - limit), page.begins[0])

    def search(self, question: Question, text: str, after: Page | None, on_progress: Callable[[int], None]) -> Hits:
        records = self._of(question)
        if question.backwards:
            records = records[: after.begins[0] if after else len(records)][::-1]
        on_progress(len(records))
        hits = tuple(r for r in records if text.casefold() in seen(r, self.decoder).casefold())[:5]
        ended = "hits" if len(hits) == 5 else "end"
        reached = Page(question.topic, (), {0: hits[-1].offset if hits else 0}, {0: 0}, {0: 0}, {0: 0})
        return Hits(Found(hits, len(records), reached, ended), tuple(map(self._shown, hits)))

    def decode(self, key: bytes | None, value: bytes | None) -> tuple[Decoded, Decoded]:
        return self.decoder.key(key), self.decoder.value(value)

    def dry_run(self, letter: DeadLetter, symbols: Collection[str]) -> Plan:
        return self.plan or Plan(
            letter, None, "binance_trade", letter.key, letter.value or b"", (("x", b"1"),), None, ("as it was",)
        )

    def replay(self, plan: Plan, force: bool, now: int) -> Mark:
        known = self.marks.get(identity(plan.letter))
        if known is not None and not force:
            raise AlreadyReplayedError(known)
        place, stamp = identity(plan.letter)
        mark = Mark(place, stamp, SENT, now, f"{plan.target}/0@{77 + len(self.marks) + force}")
        self.marks[place, stamp] = mark
        return mark

    def replayed(self) -> Marks:
        return dict(self.marks)

    def _of(self, question: Question) -> list[Record]:
        if question.topic not in self.records:
            raise BrowseError(f"there is no topic {question.topic}")
        if question.partition not in (None, 0):
            raise BrowseError(f"{question.topic} has no partition {question.partition}; it has 1, from 0 on")
        return self.records[question.topic]

    def _look(self, question: Question, begin: int, end: int) -> Look:
        records = self._of(question)
        page = Page(question.topic, tuple(records[begin:end]), {0: begin}, {0: end}, {0: 0}, {0: len(records)})
        rows = page.records[::-1] if question.backwards else page.records
        return Look(page, tuple(map(self._shown, rows)))

    def _shown(self, record: Record) -> Shown:
        key, value = self.decoder.key(record.key, whole=False), self.decoder.value(record.value, whole=False)
        return Shown(record, key, value)


def record(offset: int, value: bytes | None, topic: str, at: int, key: bytes | None = b"BTCUSDT") -> Record:
    """A record with one header."""
    return Record(topic, 0, offset, at, "create time", key, value, (Header("from", b"a test"),))


def trading(now: int, count: int = 250) -> Topics:
    """The topics of a running pipeline: trades, a window topic that is empty, letters of three kinds."""
    from tests.tui import fakes

    topics = Topics()
    encode = TradeEncoder(1)
    symbols = ("BTCUSDT", "ETHUSDT")
    topics.add(
        "binance_trade",
        *(
            record(
                number,
                encode(fakes.trade(number, symbols[number % 2], now - (count - number) * 100).trade),
                "binance_trade",
                now - (count - number) * 100,
                symbols[number % 2].encode(),
            )
            for number in range(count)
        ),
    )
    topics.add("binance_trade_agg_1m")
    topics.add(
        "dlq-producer",
        record(0, b'{"e":"trade","p":"NaN"}', "dlq-producer", now - 3_000),
        record(1, b"not json", "dlq-producer", now - 2_000, None),
        record(2, b"\xff\xfe\x00", "dlq-producer", now - 1_000, b"K" + (now // 60_000 * 60_000).to_bytes(8, "big")),
    )
    return topics
