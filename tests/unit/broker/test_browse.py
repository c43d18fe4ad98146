"""Browsing librdkafka's mock cluster: what is read, in which order, and that nothing is left behind."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from pipeline.broker import browse, ranges
from pipeline.broker.browse import Browser
from pipeline.broker.page import Page
from pipeline.broker.ranges import BrowseError, StoppedError
from pipeline.broker.search import Bounds, Found, search
from pipeline.broker.start import Beginning, End, Offset
from pipeline.schemas.decode import Decoder
from pipeline.settings import Settings
from tests.unit.producer.kafka_mock import MockCluster

TOPIC = "binance_trade"
T0 = 1_723_118_640_000


@pytest.fixture(scope="module")
def cluster() -> MockCluster:
    """Four partitions: 30 records in 0 and 20 in 1, 10 ms apart in turns; nothing in 2 and 3."""
    made = MockCluster()
    producer = Producer({"bootstrap.servers": made.bootstrap})
    for number in range(50):
        part = 1 if number % 5 > 2 else 0
        headers: list[Any] = [("number", str(number).encode()), ("nothing", None)]
        key, value = f"key {number}", f"value {number}"
        producer.produce(TOPIC, value, key, partition=part, timestamp=T0 + number * 10, headers=headers)
    assert producer.flush(10) == 0
    return made


@pytest.fixture
def settings(cluster: MockCluster) -> Settings:
    return Settings.load({"kafka_bootstrap_servers": cluster.bootstrap}, env_file=None)


@pytest.fixture
def browser(settings: Settings) -> Iterator[Browser]:
    with Browser(settings) as opened:
        yield opened


def numbers(page: Page) -> list[int]:
    return [int((record.value or b"").split()[1]) for record in page.records]


def test_the_topics_with_their_watermarks(browser: Browser) -> None:
    topics = {view.name: view for view in browser.topics()}
    assert topics[TOPIC].watermarks == {0: (0, 30), 1: (0, 20), 2: (0, 0), 3: (0, 0)}
    assert topics[TOPIC].records == 50
    assert topics["dlq-producer"].records == 0
    assert not topics[TOPIC].internal


def test_from_the_end_back_to_the_beginning_and_on_again(browser: Browser) -> None:
    page = browser.open(TOPIC, None, End(), 20)
    assert numbers(page) == list(range(30, 50))
    assert page.is_last
    middle = browser.before(page, 20)
    assert numbers(middle) == list(range(10, 30))
    first = browser.before(middle, 20)
    assert numbers(first) == list(range(10))
    assert first.is_first
    assert not first.is_last
    assert browser.before(first, 20).records == ()
    onwards = browser.after(first, 25)
    assert numbers(onwards) == list(range(10, 35))
    assert numbers(browser.after(onwards, 25)) == list(range(35, 50))


def test_from_the_beginning_on_one_partition(browser: Browser) -> None:
    page = browser.open(TOPIC, 1, Beginning(), 8)
    assert [record.offset for record in page.records] == list(range(8))
    assert {record.partition for record in page.records} == {1}
    following = browser.after(page, 100)
    assert [record.offset for record in following.records] == list(range(8, 20))
    assert following.is_last
    assert browser.after(following).records == ()


def test_a_record_whole(browser: Browser) -> None:
    (record,) = browser.open(TOPIC, 0, Offset(2), 1).records
    assert (record.key, record.value, record.offset) == (b"key 2", b"value 2", 2)
    assert (record.timestamp, record.timestamp_type) == (T0 + 20, "create time")
    assert [(header.key, header.value) for header in record.headers] == [("number", b"2"), ("nothing", None)]


@pytest.mark.parametrize(("offset", "first"), [(25, 25), (10**12, None)])
def test_an_offset_that_is_not_there_is_the_nearest(browser: Browser, offset: int, first: int | None) -> None:
    page = browser.open(TOPIC, 0, Offset(offset), 3)
    assert [record.offset for record in page.records][:1] == ([] if first is None else [first])
    assert browser.before(page, 5).records[-1].offset == (24 if first else 29)


def test_what_is_not_there_is_said_and_not_made(browser: Browser) -> None:
    with pytest.raises(BrowseError, match="there is no topic nothing"):
        browser.open("nothing", None, End())
    with pytest.raises(BrowseError, match="has no partition 7; it has 4"):
        browser.open(TOPIC, 7, End())
    assert "nothing" not in {view.name for view in browser.topics()}


def test_it_never_subscribes_nor_commits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    configs: list[dict[str, Any]] = []
    called: list[str] = []

    class Watched(Consumer):  # type: ignore[misc]
        def __init__(self, config: dict[str, Any], logger: Any) -> None:
            configs.append(config)
            super().__init__(config, logger=logger)

        def subscribe(self, *_: Any, **__: Any) -> None:
            called.append("subscribe")

        def commit(self, *_: Any, **__: Any) -> None:
            called.append("commit")

        def store_offsets(self, *_: Any, **__: Any) -> None:
            called.append("store_offsets")

    monkeypatch.setattr(browse, "Consumer", Watched)
    with Browser(settings) as opened:
        assert len(opened.before(opened.open(TOPIC, None, End(), 10), 10).records) == 10
    (config,) = configs
    assert called == []
    assert not config["enable.auto.commit"]
    assert not config["enable.auto.offset.store"]
    assert not config["allow.auto.create.topics"]


def test_large_records_make_short_pages_without_a_hole(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "READ_BYTES", 200)
    onwards, page = [], browser.open(TOPIC, 0, Beginning(), 100)
    assert 0 < len(page.records) < 30
    while page.records:
        onwards += [record.offset for record in page.records]
        page = browser.after(page, 100)
    back, page = [], browser.open(TOPIC, 0, End(), 100)
    while page.records:
        back += [record.offset for record in reversed(page.records)]
        page = browser.before(page, 100)
    assert onwards == back[::-1] == list(range(30))


def test_brokers_that_are_away_are_told_in_time() -> None:
    gone = Settings.load({"kafka_bootstrap_servers": "127.0.0.1:1"}, env_file=None)
    started = time.monotonic()
    with (
        Browser(gone, timeout=1) as opened,
        pytest.raises(BrowseError, match=r"_TRANSPORT|_ALL_BROKERS_DOWN|_TIMED_OUT"),
    ):
        opened.topics()
    assert time.monotonic() - started < 20


def test_a_stop_ends_it(settings: Settings) -> None:
    stopping = threading.Event()
    with Browser(settings, stopping=stopping) as opened:
        stopping.set()
        with pytest.raises(StoppedError):
            opened.open(TOPIC, None, End())


# ---------------------------------------------------------------- searching


def look(browser: Browser, text: str, *, backwards: bool = True, **bounds: Any) -> Found:
    first = browser.open(TOPIC, None, End() if backwards else Beginning(), 10)
    return search(browser, Decoder(None), first, text, backwards=backwards, bounds=Bounds(**bounds))


def places(found: Found) -> list[bytes | None]:
    return [record.value for record in found.hits]


def test_text_is_found_in_values_keys_and_headers(browser: Browser) -> None:
    found = look(browser, "VALUE 4")
    assert places(found) == [b"value %d" % n for n in (49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 4)]
    assert (found.scanned, found.ended) == (50, "end")
    assert places(look(browser, "key 17")) == [b"value 17"]
    assert len(look(browser, "nothing").hits) == 50
    assert places(look(browser, "value 1", backwards=False))[:2] == [b"value 1", b"value 10"]
    assert look(browser, "no such thing").hits == ()


def test_a_search_is_bounded_says_how_far_and_goes_on(browser: Browser) -> None:
    found = look(browser, "value", hits=5)
    assert (found.ended, found.scanned) == ("hits", 10)
    told: list[Found] = []
    on = search(
        browser,
        Decoder(None),
        browser.before(found.reached, 10),
        "value 3",
        backwards=True,
        bounds=Bounds(records=20),
        on_progress=told.append,
    )
    assert on.ended == "records"
    assert on.scanned == 20
    assert places(on) == [b"value %d" % n for n in range(39, 29, -1)]
    assert [one.scanned for one in told] == [10, 20]
    assert look(browser, "x", seconds=0).ended == "seconds"
