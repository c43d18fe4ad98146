"""No secret is told; a watcher's own secrets stay with the servers they belong to."""

import pytest

from pipeline.attach.addresses import addresses_of, bare, merged
from pipeline.attach.lines import Hello, line_of
from pipeline.settings import Settings

CANARY = "canary-7f3a"


def settings(**more: object) -> Settings:
    return Settings.load(more, env_file=None)


def hello(addresses: dict[str, str], feed: str = "simulated") -> Hello:
    return Hello(version="1", pid=1, feed=feed, feed_setting=feed, known=("A", "B"), wanted=("A",), addresses=addresses)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
        (f"https://me:{CANARY}@store.example:8443/x?password={CANARY}#y", "https://store.example:8443/x"),
        ("10.0.0.1:9092,10.0.0.2:9092", "10.0.0.1:9092,10.0.0.2:9092"),
        ("http://[::1]:8081/apis", "http://[::1]:8081/apis"),
    ],
)
def test_an_address_is_told_without_what_is_secret_in_it(address: str, left: str) -> None:
    assert bare(address) == left


def test_no_secret_is_told() -> None:
    mine = settings(
        clickhouse_url=f"http://me:{CANARY}@h:8123",
        clickhouse_password=CANARY,
        schema_registry_url="http://h:8081",
        schema_registry_password=CANARY,
        kafka_bootstrap_servers="h:9092",
        kafka_sasl_password=CANARY,
    )
    told = addresses_of(mine)
    assert told["clickhouse_url"] == "http://h:8123"
    assert told["kafka_bootstrap_servers"] == "h:9092"
    assert CANARY.encode() not in line_of(hello(told))


def test_a_watcher_takes_the_addresses_the_feed_and_the_symbols() -> None:
    theirs = {"kafka_bootstrap_servers": "127.0.0.1:19092", "clickhouse_url": "http://127.0.0.1:8124"}
    mine = merged(settings(clickhouse_password=CANARY), hello(theirs | {"home": "/etc", "nonsense": "x"}))
    assert mine.kafka_bootstrap_servers == "127.0.0.1:19092"
    assert mine.clickhouse_url == "http://127.0.0.1:8124"
    assert mine.clickhouse_password is not None
    assert mine.clickhouse_password.get_secret_value() == CANARY
    assert mine.feed_kind == "simulated"
    assert mine.symbols == ("A",)
    assert mine.home == settings().home


def test_its_own_address_stays_where_it_means_the_same_server() -> None:
    own = f"http://me:{CANARY}@h:8123"
    assert merged(settings(clickhouse_url=own), hello({"clickhouse_url": "http://h:8123"})).clickhouse_url == own
    other = merged(settings(clickhouse_url=own), hello({"clickhouse_url": "http://g:8123"}))
    assert other.clickhouse_url == "http://g:8123"
