"""Records and dead letters on the real servers: read from any place, without a trace, and replayed once."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from pipeline.broker.letters import Letters
from pipeline.broker.messages import Messages, Question
from pipeline.broker.replay import REPLAYED_FROM
from pipeline.broker.replayed import AlreadyReplayedError, identity
from pipeline.broker.start import Beginning, End, Offset, Time
from pipeline.home import Home
from pipeline.model import PRODUCER_DLQ, TRADE_TOPIC, DeadLetter
from pipeline.schemas.decode import AVRO, JSON
from pipeline.settings import Settings
from tests.stack.application import Application

E = 1_723_161_255_343
TRADES = 40


def recording(path: Path) -> Path:
    """Trades of BTCUSDT a second apart, a frame that never will be one, and one of a symbol that was not asked for."""
    lines = [frame("BTCUSDT", number) for number in range(TRADES)]
    lines += [frame("BTCUSDT", 900, p="NaN"), frame("ETHUSDT", 901).replace("ethusdt@", "btcusdt@")]
    path.write_bytes(b"".join(f"{(E + n) * 1_000_000} {line}\n".encode() for n, line in enumerate(lines)))
    return path


def frame(symbol: str, number: int, **changes: str) -> str:
    at = E + number * 1000
    data: dict[str, Any] = {
        "e": "trade", "E": at, "s": symbol, "t": number, "p": "61837.63000000", "q": "0.02000000", "T": at - 1,
        "m": True, "M": True,
    }  # fmt: skip
    return json.dumps({"stream": f"{symbol.lower()}@trade", "data": data | changes}, separators=(",", ":"))


def groups(bootstrap: str) -> set[str]:
    listed = AdminClient({"bootstrap.servers": bootstrap}).list_consumer_groups(request_timeout=10).result()
    return {group.group_id for group in listed.valid}


def test_records_are_read_without_a_trace_and_a_letter_is_replayed_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    feed = recording(tmp_path / "some.frames")
    with Application(home, "--feed", str(feed), "--symbols", "BTCUSDT") as app:
        app.running()
        app.wait_for(
            lambda line: (
                line["type"] == "report"
                and line["event"].get("event") == "sink"
                and line["event"]["inserted"].get(TRADE_TOPIC, 0) >= TRADES
            ),
            90,
        )
        app.wait_for(lambda line: line["type"] == "dead_letters" and len(line["letters"]) >= 1, 60)
        bootstrap = app.service("kafka-0")["address"]
        registry = f"http://{app.service('schema-registry')['address']}/apis/ccompat/v7"
        settings = Settings.load(
            {"home": home, "kafka_bootstrap_servers": bootstrap, "schema_registry_url": registry}, None
        )
        before = groups(bootstrap)
        messages = Messages(settings)

        topics = {view.name: view for view in messages.topics()}
        assert topics[TRADE_TOPIC].records == TRADES
        assert topics[TRADE_TOPIC].replicas == 3

        newest = Question(TRADE_TOPIC, None, End())
        look = messages.open(newest, 15)
        assert [shown.record.offset for shown in look.rows] == list(range(TRADES - 1, TRADES - 16, -1))
        assert {shown.value.how for shown in look.rows} == {AVRO}
        assert look.rows[0].value.schema_name == "cryptostreamx.BinanceTrade"
        older = messages.older(newest, look.page, 100)
        assert [shown.record.offset for shown in older.rows] == list(range(TRADES - 16, -1, -1))
        at = messages.open(Question(TRADE_TOPIC, 0, Time(E + 9_500)), 5)
        assert [shown.record.offset for shown in at.rows] == [10, 11, 12, 13, 14], "the first at that time or later"
        assert messages.open(Question(TRADE_TOPIC, 0, Time(E + 10**9)), 5).rows == ()
        assert messages.open(Question(TRADE_TOPIC, None, Offset(38)), 5).rows[0].record.offset == 38
        hits = messages.search(newest, '"trade_id": 17', None, threading.Event(), lambda _: None)
        assert [(hit.record.offset, hits.found.scanned) for hit in hits.rows] == [(17, TRADES)]

        letters = messages.open(Question(PRODUCER_DLQ, None, Beginning()), 10).rows
        assert [shown.value.how for shown in letters] == [JSON, JSON]
        found = [
            DeadLetter(r.topic, r.partition, r.offset, r.timestamp or 0, r.key, r.value, r.headers)
            for r in (shown.record for shown in letters)
        ]
        desk = Letters(settings, Home(home))
        never = desk.dry_run(found[0], ("BTCUSDT",))
        assert "it would be refused again: bad_number" in str(never.refusal)
        mended = DeadLetter(
            PRODUCER_DLQ, 0, found[1].offset, found[1].timestamp, None, frame("BTCUSDT", 902).encode(), found[1].headers
        )  # the same letter with a frame that passes: what a person gets whose symbol was added since
        plan = desk.dry_run(mended, ("BTCUSDT",))
        assert plan.refusal is None
        mark = desk.replay(plan, force=False)
        with pytest.raises(AlreadyReplayedError):
            Letters(settings, Home(home)).replay(plan, force=False)
        assert desk.replayed() == {identity(mended): mark}
        last = messages.open(newest, 1).rows[0]
        assert mark.target == last.record.place
        assert [(h.key, h.value) for h in last.record.headers] == [(REPLAYED_FROM, mark.letter.encode())]
        assert last.record.timestamp == E + 902_000
        app.wait_for(
            lambda line: (
                line["type"] == "report"
                and line["event"].get("event") == "sink"
                and line["event"]["inserted"].get(TRADE_TOPIC, 0) >= TRADES + 1
            ),
            60,
        )  # the sink takes it as any other record

        assert groups(bootstrap) == before, "no group came into being by looking"
        assert "cryptostreamx-screen" not in before
        app.terminate()
