"""Topics and groups over a client library that answers, or not, part by part."""

import socket
import time
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from pipeline.broker.inventory import CONFIG_MS, KafkaInventory, changed, lags, rate
from pipeline.inventory import GroupView, LagView, MemberView, PartitionView, TopicView
from tests.unit.broker.fakes import Broker, Metadata, Partition, Topic

AWAY = KafkaException(KafkaError(KafkaError._TIMED_OUT, "Timed out waiting for controller\x1b[2J"))


def answer(value: Any) -> "Future[Any]":
    """A future that is done: with a value, or with an error."""
    future: Future[Any] = Future()
    if isinstance(value, Exception):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


def entry(value: str | None, *, default: bool = False, secret: bool = False) -> Any:
    return SimpleNamespace(value=value, is_default=default, is_sensitive=secret)


class Cluster:
    """What the fake cluster knows. Each part can be made to fail by putting an exception in its place."""

    def __init__(self) -> None:
        self.topics: Any = {
            "trades": Topic({0: Partition(1, [1, 2], [1]), 1: Partition(-1, [2, 1], [])}),
            "__consumer_offsets": Topic({0: Partition(1, [1], [1])}),
        }
        self.brokers: dict[int, Broker] = {}
        self.first: dict[tuple[str, int], Any] = {("trades", 0): 10, ("trades", 1): 0}
        self.end: dict[tuple[str, int], Any] = {("trades", 0): 110, ("trades", 1): 50}
        self.configs: Any = {"retention.ms": entry("-1"), "cleanup.policy": entry("delete", default=True)}
        self.config_reads = 0
        self.listed: Any = SimpleNamespace(valid=[SimpleNamespace(group_id="sink")], errors=[])
        part = SimpleNamespace(topic="trades", partition=1)
        self.described: Any = SimpleNamespace(
            group_id="sink",
            state=ConsumerGroupState.STABLE,
            partition_assignor="range",
            coordinator=SimpleNamespace(id=2),
            members=[
                SimpleNamespace(
                    member_id="m",
                    client_id="c",
                    host="/127.0.0.1",
                    group_instance_id="",
                    assignment=SimpleNamespace(topic_partitions=[part]),
                )
            ],
        )
        self.commits: Any = SimpleNamespace(topic_partitions=[TopicPartition("trades", 0, 100)])

    def poll(self, _seconds: float) -> int:
        return 0

    def list_topics(self, timeout: float) -> Metadata:
        assert timeout > 0
        if isinstance(self.topics, Exception):
            raise self.topics
        return Metadata(brokers=self.brokers, topics=self.topics)

    def list_offsets(self, request: dict[TopicPartition, OffsetSpec], request_timeout: float) -> dict[Any, Any]:
        assert request_timeout > 0
        found = {}
        for place, spec in request.items():
            offset = (self.end if spec is OffsetSpec.latest() else self.first)[place.topic, place.partition]
            found[place] = answer(offset if isinstance(offset, Exception) else SimpleNamespace(offset=offset))
        return found

    def describe_configs(self, resources: list[Any], request_timeout: float) -> dict[Any, Any]:
        assert request_timeout > 0
        self.config_reads += 1
        return {resource: answer(self.configs) for resource in resources}

    def list_consumer_groups(self, request_timeout: float) -> Any:
        assert request_timeout > 0
        return answer(self.listed)

    def describe_consumer_groups(self, names: list[str], request_timeout: float) -> dict[str, Any]:
        assert request_timeout > 0
        return {name: answer(self.described) for name in names}

    def list_consumer_group_offsets(self, request: list[Any], request_timeout: float) -> dict[str, Any]:
        assert request_timeout > 0
        return {request[0].group_id: answer(self.commits)}


class Clock:
    ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inventory(cluster: Cluster, clock: Clock) -> KafkaInventory:
    return KafkaInventory(cluster, clock)


def test_topics_with_offsets_replicas_and_changed_settings(inventory: KafkaInventory, clock: Clock) -> None:
    seen = inventory.topics()
    assert (seen.error, seen.config_error, seen.offsets_error, seen.config_time) == (None, None, None, clock.ms)
    offsets, trades = seen.topics
    assert trades == TopicView(
        "trades",
        (PartitionView(0, 1, (1, 2), (1,), 10, 110), PartitionView(1, None, (2, 1), (), 0, 50)),
        None,
        {"retention.ms": "-1"},
    )
    assert (trades.messages, trades.end, trades.replicas, trades.under_replicated) == (150, 160, 2, 2)
    assert (offsets.messages, offsets.internal) == (None, True), "nobody asks for Kafka's own offsets"


def test_the_rate_is_over_the_time_since_the_look_before(
    inventory: KafkaInventory, cluster: Cluster, clock: Clock
) -> None:
    def trades() -> TopicView:
        return inventory.topics().topics[1]

    assert trades().rate is None
    clock.ms += 5_000
    cluster.end["trades", 0] = 160
    assert trades().rate == 10
    clock.ms += 5_000
    cluster.end["trades", 1] = AWAY
    assert (trades().rate, trades().messages) == (None, None), "one leader is away: unknown, not less"
    clock.ms += 5_000
    cluster.end["trades", 1] = 150
    assert trades().rate == 10, "over the ten seconds since the last known end"
    clock.ms += 5_000
    cluster.end["trades", 0] = 0
    assert trades().rate is None, "another topic of the same name"


def test_rate_needs_time_to_have_passed() -> None:
    assert rate((1_000, 5), (1_000, 6)) is None
    assert rate(None, (1_000, 6)) is None


def test_settings_are_kept_while_the_controller_is_away(
    inventory: KafkaInventory, cluster: Cluster, clock: Clock
) -> None:
    first = inventory.topics()
    clock.ms += CONFIG_MS - 1
    inventory.topics()
    assert cluster.config_reads == 1
    clock.ms += 1
    known, cluster.configs = cluster.configs, AWAY
    seen = inventory.topics()
    assert seen.config_error == "Timed out waiting for controller\\x1b[2J (_TIMED_OUT)"
    assert seen.config_time == first.time
    assert seen.topics[1].config == {"retention.ms": "-1"}
    assert seen.topics[1].messages == 150, "offsets need no controller"
    cluster.configs = known
    assert inventory.topics().config_error is None


def test_a_new_topic_has_its_settings_read_at_once(inventory: KafkaInventory, cluster: Cluster) -> None:
    inventory.topics()
    cluster.topics["new"] = Topic({})
    assert inventory.topics().topics[2].config == {"retention.ms": "-1"}
    assert cluster.config_reads == 2
    del cluster.topics["new"]
    assert [topic.name for topic in inventory.topics().topics] == ["__consumer_offsets", "trades"]


def test_no_topics_and_no_answer_are_told_apart(inventory: KafkaInventory, cluster: Cluster) -> None:
    cluster.topics = {}
    assert (inventory.topics().topics, inventory.topics().error) == ((), None)
    cluster.topics = AWAY
    assert "Timed out" in (inventory.topics().error or "")


def test_a_secret_setting_is_never_shown() -> None:
    assert changed({"b": entry(None, secret=True), "a": entry("x", default=True)}) == {"b": "(secret)"}


def test_groups_with_members_commits_and_lag(inventory: KafkaInventory) -> None:
    (group,) = inventory.groups().groups
    assert group == GroupView(
        "sink",
        "STABLE",
        (MemberView("m", "c", "/127.0.0.1", (("trades", 1),)),),
        (LagView("trades", 0, 100, 110), LagView("trades", 1, None, 50)),
        2,
        "range",
    )
    assert (group.lag, group.unknown) == (10, 1), "a partition without a commit is unknown, not 0"


def test_a_commit_beyond_the_end_is_no_negative_lag() -> None:
    assert LagView("t", 0, 12, 10).lag == 0
    assert [lag.committed for lag in lags((), [TopicPartition("t", 0, -1001)])] == [None]


def test_members_or_commits_may_be_missing_by_themselves(inventory: KafkaInventory, cluster: Cluster) -> None:
    cluster.described = AWAY
    (group,) = inventory.groups().groups
    assert (group.state, group.members, group.lag) == ("UNKNOWN", None, 10)
    assert (group.error or "").startswith("members: Timed out")
    cluster.described, cluster.commits = Cluster().described, AWAY
    (group,) = inventory.groups().groups
    assert (group.state, group.lags, group.lag) == ("STABLE", None, None)
    assert (group.error or "").startswith("commits: Timed out")


def test_an_end_that_is_away_makes_the_lag_unknown(inventory: KafkaInventory, cluster: Cluster) -> None:
    cluster.end["trades", 0] = AWAY
    (group,) = inventory.groups().groups
    assert (group.lag, group.unknown) == (None, 2)


def test_groups_are_not_asked_for_while_a_broker_is_away(inventory: KafkaInventory, cluster: Cluster) -> None:
    """The client library aborts the process when a group's coordinator is away."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        cluster.brokers = {0: Broker(0, port=server.getsockname()[1])}
        assert inventory.groups().error is None
        cluster.brokers = {0: Broker(0, port=server.getsockname()[1]), 1: Broker(1, port=1)}
        cluster.list_consumer_groups = None  # type: ignore[assignment,method-assign]
        seen = inventory.groups()
        assert (seen.groups, (seen.error or "")[:16]) == ((), "broker 1 is away")
        del cluster.brokers[1]
        assert "broker 1 is away" in (inventory.groups().error or ""), "also once the cluster lists it no more"
    cluster.topics = AWAY
    assert "Timed out" in (inventory.groups().error or "")


def test_what_never_answers_is_waited_for_once_not_for_each(
    inventory: KafkaInventory, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.broker.inventory.TIMEOUT_S", 0.1)
    monkeypatch.setattr("pipeline.broker.inventory.GRACE_S", 0.1)
    cluster.listed.valid = [SimpleNamespace(group_id=f"g{number}") for number in range(50)]
    never: dict[str, Future[Any]] = {f"g{number}": Future() for number in range(50)}
    monkeypatch.setattr(cluster, "describe_consumer_groups", lambda *_, **__: never)
    begin = time.monotonic()
    seen = inventory.groups()
    assert time.monotonic() - begin < 3
    assert all((group.error or "").startswith("members: no answer within 0.2 s") for group in seen.groups)
    assert all(group.lag == 10 for group in seen.groups)


def test_a_broker_that_lists_no_groups_is_told_beside_the_others(inventory: KafkaInventory, cluster: Cluster) -> None:
    cluster.listed.errors = [AWAY.args[0]]  # plain errors, as the library gives them
    seen = inventory.groups()
    assert len(seen.groups) == 1
    assert "Timed out" in (seen.error or "")
    cluster.listed.valid = []
    assert "Timed out" in (inventory.groups().error or "")
    cluster.listed = AWAY
    assert (inventory.groups().groups, "Timed out" in (inventory.groups().error or "")) == ((), True)
    cluster.listed = SimpleNamespace(valid=[], errors=[])
    assert (inventory.groups().groups, inventory.groups().error) == ((), None)
