from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from pipeline.broker import topics
from pipeline.broker.topics import TopicSpec, ensure_topics, wanted_topics
from pipeline.events import StepState
from pipeline.settings import Settings
from pipeline.windows.changelogs import changelog_topics
from tests.unit.broker.fakes import Admin

Results = dict[str, tuple[StepState, str]]


def ensured(admin: Admin, specs: list[TopicSpec]) -> tuple[bool, Results]:
    results: Results = {}

    def on_result(name: str, state: StepState, detail: str) -> None:
        assert name not in results, "one result a topic"
        results[name] = state, detail

    anything: Any = admin
    return ensure_topics(anything, specs, on_result), results


def loaded(**values: Any) -> Settings:
    return Settings.load(values, env_file=None)


def test_wanted_topics_go_by_the_settings() -> None:
    specs = {spec.name: spec for spec in wanted_topics(loaded(topic_partitions=6))}
    assert {name: spec.partitions for name, spec in specs.items()} == {
        "binance_trade": 6, "binance_trade_agg_1m": 6, "binance_trade_agg_5m": 6, "dlq-producer": 1,
        "dlq-clickhouse": 1,
    }  # fmt: skip
    for spec in specs.values():
        assert spec.replication == 3
        assert spec.config["min.insync.replicas"] == "2"
        assert spec.config["retention.ms"] == spec.config["retention.bytes"] == "-1"
        assert int(spec.config["max.message.bytes"]) > 1_100_000
    assert wanted_topics(loaded(kafka_brokers=1))[0].config["min.insync.replicas"] == "1"


def test_changelogs_are_compacted_and_never_deleted_by_age() -> None:
    specs = changelog_topics(loaded(topic_partitions=4))
    assert len({spec.name for spec in specs}) == 3
    for spec in specs:
        assert (spec.partitions, spec.replication) == (4, 3)
        assert spec.config["cleanup.policy"] == "compact"
        assert spec.config["retention.ms"] == "-1"
        assert spec.config["min.insync.replicas"] == "2"


def test_creates_what_is_missing_and_waits_for_the_leaders() -> None:
    admin = Admin()
    admin.leaderless_for = 3
    specs = wanted_topics(loaded(topic_partitions=2))
    good, results = ensured(admin, specs)
    assert good
    assert {state for state, _ in results.values()} == {StepState.DONE}
    assert results["binance_trade"][1] == "2 partition(s), 3 replica(s)"
    assert admin.leaderless_for == 0
    good, results = ensured(admin, specs)
    assert good
    assert set(results.values()) == {(StepState.EXISTS, "")}


def test_says_how_an_existing_topic_differs_and_leaves_it() -> None:
    admin = Admin()
    admin.add("t", 1, 2, {"retention.ms": "604800000", "cleanup.policy": "delete"})
    spec = TopicSpec("t", 3, 3, {"retention.ms": "-1", "cleanup.policy": "delete", "not.known.there": "1"})
    good, results = ensured(admin, [spec])
    assert good
    state, detail = results["t"]
    assert state is StepState.DIFFERENT
    assert detail == "partitions 1, wanted 3; replicas 2, wanted 3; retention.ms 604800000, wanted -1"
    assert len(admin.metadata.topics["t"].partitions) == 1


def test_a_refusal_is_told_in_the_brokers_words_and_the_others_are_made() -> None:
    admin = Admin()
    admin.refuse["bad"] = KafkaError(KafkaError.INVALID_REPLICATION_FACTOR, "Replication factor: 3 larger than\x1b 1")
    good, results = ensured(admin, [TopicSpec("bad", 1, 3), TopicSpec("fine", 1, 1)])
    assert not good
    state, detail = results["bad"]
    assert state is StepState.FAILED
    assert "Replication factor: 3 larger than\\x1b 1" in detail
    assert "INVALID_REPLICATION_FACTOR" in detail
    assert results["fine"][0] is StepState.DONE


def test_a_topic_that_somebody_made_meanwhile_is_compared() -> None:
    admin = Admin()
    admin.refuse["t"] = KafkaError(KafkaError.TOPIC_ALREADY_EXISTS, "Topic 't' already exists.")
    lists = admin.list_topics

    def racing(timeout: float) -> Any:
        metadata = lists(timeout)
        if "t" in metadata.topics:
            return metadata
        before = type(metadata)(metadata.brokers)
        admin.add("t", 2, 1, {})
        return before

    admin.list_topics = racing  # type: ignore[method-assign]
    good, results = ensured(admin, [TopicSpec("t", 1, 1)])
    assert good
    assert results == {"t": (StepState.DIFFERENT, "partitions 2, wanted 1")}


def test_a_cluster_that_is_still_forming_is_waited_for() -> None:
    """Seen on a warm start: one broker of three listed, and no topic, though all of them were there."""
    admin = Admin()
    admin.add("t", 1, 3, {})
    whole = admin.metadata
    alone = type(whole)({0: whole.brokers[0]})
    answers = [alone, alone, type(whole)(whole.brokers, controller_id=-1), whole]
    admin.list_topics = lambda timeout: answers.pop(0)  # type: ignore[method-assign]
    good, results = ensured(admin, [TopicSpec("t", 1, 3)])
    assert good
    assert results == {"t": (StepState.EXISTS, "")}
    assert answers == []


def test_a_topic_that_is_there_and_not_listed_yet_is_waited_for() -> None:
    admin = Admin()
    admin.add("t", 1, 1, {})
    whole = admin.metadata
    admin.refuse["t"] = KafkaError(KafkaError.TOPIC_ALREADY_EXISTS, "Topic 't' already exists.")
    answers = [type(whole)(whole.brokers), type(whole)(whole.brokers), whole]
    admin.list_topics = lambda timeout: answers.pop(0)  # type: ignore[method-assign]
    good, results = ensured(admin, [TopicSpec("t", 1, 1)])
    assert good
    assert results == {"t": (StepState.EXISTS, "")}


def test_brokers_that_do_not_come_are_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "FORMING_TIMEOUT_S", 0.1)
    admin = Admin()
    admin.metadata.brokers = {}
    admin.refuse["t"] = KafkaError(KafkaError.INVALID_REPLICATION_FACTOR, "Replication factor: 3 larger than 0")
    good, results = ensured(admin, [TopicSpec("t", 1, 3)])
    assert not good
    assert "Replication factor: 3 larger than 0" in results["t"][1]


def test_no_broker_fails_every_line() -> None:
    admin = Admin()
    admin.down = KafkaError(KafkaError._TRANSPORT, "Failed to get metadata")
    good, results = ensured(admin, [TopicSpec("a", 1, 1), TopicSpec("b", 1, 1)])
    assert not good
    assert results.keys() == {"a", "b"}
    assert all(state is StepState.FAILED and "Failed to get metadata" in detail for state, detail in results.values())


def test_leaders_that_do_not_come_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "LEADERS_TIMEOUT_S", 0.1)
    admin = Admin()
    admin.leaderless_for = 10**6
    good, results = ensured(admin, [TopicSpec("t", 2, 1)])
    assert not good
    assert results["t"] == (StepState.FAILED, "created, but only 0 of 2 partition(s) have a leader.")


def test_a_broker_that_does_not_know_a_topic_yet_is_asked_again() -> None:
    """Seen on a warm start: all topics listed, and UNKNOWN_TOPIC_OR_PART for the configuration of each."""
    admin = Admin()
    admin.add("t", 1, 1, {})
    describe, refusals = admin.describe_configs, [KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)] * 2

    def not_yet(resources: list[Any], request_timeout: float) -> Any:
        futures = describe(resources, request_timeout)
        if refusals:
            futures = {resource: Future() for resource in resources}
            futures[resources[0]].set_exception(KafkaException(refusals.pop()))
        return futures

    admin.describe_configs = not_yet  # type: ignore[method-assign]
    assert ensured(admin, [TopicSpec("t", 1, 1)]) == (True, {"t": (StepState.EXISTS, "")})
    assert not refusals
