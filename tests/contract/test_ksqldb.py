"""The DDL against ksqlDB: a server that answers as a real one was seen to, or the one that ``KSQLDB_URL`` names."""

import os
from collections.abc import Iterator

import pytest

from pipeline.events import StepState
from pipeline.store.ddl import ddl_files
from pipeline.windows.ksqldb.client import KsqlClient, KsqlError
from pipeline.windows.ksqldb.ddl import FROM_THE_START, Ddl, statements, wait_ready
from tests.contract.ksqldb_server import KsqlDb, served

NAMES = ["stream BINANCE_TRADE_RAW", "table BINANCE_TRADE_AGG_1M", "table BINANCE_TRADE_AGG_5M"]
Told = list[tuple[str, StepState, str]]


@pytest.fixture
def recorded() -> Iterator[tuple[str, KsqlDb]]:
    with served() as (url, ksqldb):
        yield url, ksqldb


def apply(client: KsqlClient, *, replace: bool = False) -> dict[str, tuple[StepState, str]]:
    told: Told = []
    ddl = Ddl(client, statements(ddl_files("ksql")))
    (ddl.replace if replace else ddl.apply)(lambda *line: told.append(line))
    return {name: (state, detail) for name, state, detail in told if state is not StepState.RUNNING}


def test_a_second_start_changes_nothing(recorded: tuple[str, KsqlDb]) -> None:
    url, ksqldb = recorded
    client = KsqlClient(os.environ.get("KSQLDB_URL", url))
    first = apply(client)
    assert list(first) == NAMES
    if "KSQLDB_URL" not in os.environ:
        assert [state for state, _ in first.values()] == [StepState.DONE] * 3
    before = ksqldb.sequence
    assert apply(client) == dict.fromkeys(NAMES, (StepState.EXISTS, ""))
    assert ksqldb.sequence == before


def test_queries_begin_with_the_first_trade_and_wait_for_the_command_before(recorded: tuple[str, KsqlDb]) -> None:
    url, ksqldb = recorded
    apply(KsqlClient(url))
    creates = [request for request in ksqldb.requests if request["ksql"].startswith("CREATE")]
    assert [request["streamsProperties"] for request in creates] == [{}, FROM_THE_START, FROM_THE_START]
    assert [request.get("commandSequenceNumber") for request in creates] == [None, 1, 2]


def test_a_difference_is_told_with_both_sides_and_replaced_only_when_asked(recorded: tuple[str, KsqlDb]) -> None:
    url, ksqldb = recorded
    client = KsqlClient(url)
    apply(client)
    table = ksqldb.sources["BINANCE_TRADE_AGG_1M"]
    table["statement"] = table["statement"].replace("PERIOD 10 SECONDS", "PERIOD 5 SECONDS")
    told = apply(client)
    state, detail = told["table BINANCE_TRADE_AGG_1M"]
    assert state is StepState.DIFFERENT
    assert "the file says … GRACE PERIOD 10" in detail.replace(", ", "")
    assert "5 SECOND" in detail
    assert told["table BINANCE_TRADE_AGG_5M"] == (StepState.EXISTS, "")
    ksqldb.requests.clear()
    assert [state for state, _ in apply(client, replace=True).values()] == [
        StepState.EXISTS,
        StepState.DONE,
        StepState.DONE,
    ]
    changed = [r["ksql"].split()[0] for r in ksqldb.requests if r["ksql"].split()[0] != "DESCRIBE"]
    assert changed == ["TERMINATE", "DROP", "TERMINATE", "DROP", "CREATE", "CREATE"]


def test_what_the_server_refuses_is_told_in_its_words_and_ends_it(recorded: tuple[str, KsqlDb]) -> None:
    url, ksqldb = recorded
    ksqldb.topics.clear()
    told = apply(KsqlClient(url))
    assert list(told) == NAMES[:1], "the tables read from the stream"
    state, detail = told[NAMES[0]]
    assert state is StepState.FAILED
    assert "Topic 'binance_trade' does not exist" in detail
    assert "(code 40000)" in detail
    assert "statement: CREATE STREAM IF NOT EXISTS BINANCE_TRADE_RAW" in detail


@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("CREATE STREAM S (a INT) WITH (KAFKA_TOPIC='binance_trade', TIMESTAMP = 'event_time');", 40001, "EVENT_TIME"),
        ("CREATE TABLE T WITH (KAFKA_TOPIC='t', REPLICAS = 5) AS SELECT 1;", 50000, "larger than available brokers"),
        ("DESCRIBE NOTHING EXTENDED;", 40001, "Could not find STREAM/TABLE 'NOTHING'"),
    ],
)
def test_errors_keep_code_words_and_statement(recorded: tuple[str, KsqlDb], sql: str, code: int, words: str) -> None:
    with pytest.raises(KsqlError, match=words) as caught:
        KsqlClient(recorded[0]).run(sql)
    assert caught.value.code == code
    assert caught.value.statement == sql
    assert not caught.value.not_ready


def test_a_server_that_starts_is_waited_for(recorded: tuple[str, KsqlDb]) -> None:
    url, ksqldb = recorded
    ksqldb.starting = 3
    assert wait_ready(KsqlClient(url), pause=0.01)["version"] == "7.9.0"
    ksqldb.starting = 10**9
    with pytest.raises(KsqlError, match="not yet ready"):
        wait_ready(KsqlClient(url), patience=0.05, pause=0.01)


def test_a_server_that_is_not_there_is_not_ready() -> None:
    with pytest.raises(KsqlError) as caught:
        KsqlClient("http://127.0.0.1:9", timeout=1).info()
    assert caught.value.not_ready
    assert caught.value.code == 0
