"""The connector's configuration and its tasks' states: what is put, what is shown, what is called failed."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.model import SINK_DLQ, TRADE_TOPIC, WINDOW_TOPICS
from pipeline.sink.connect.connector import MASK, differences, filled, masked, root_cause, seen

TEMPLATE = (Path(__file__).parents[3] / "docker" / "clickhouse-sink.json").read_text(encoding="utf-8")
VALUES = {
    "tasks": "1",
    "clickhouse_host": "clickhouse",
    "clickhouse_port": "8123",
    "clickhouse_ssl": "false",
    "clickhouse_username": "default",
    "clickhouse_password": "canary $secret",
    "exactly_once": "false",
    "schema_registry_url": "http://schema-registry:8081",
    "replication": "3",
}
TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n"
    "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:636)\n"
    "Caused by: java.lang.RuntimeException: wrapped\n"
    "\t... 10 more\n"
    "Caused by: java.net.ConnectException: Connection refused\n"
    "\t... 12 more\n"
)


def status(*tasks: dict[str, Any], connector: str = "RUNNING") -> dict[str, Any]:
    return {"sink": {"status": {"connector": {"state": connector, "worker_id": "c:8083"}, "tasks": list(tasks)}}}


def test_every_topic_has_its_table_and_what_cannot_be_written_its_dead_letters() -> None:
    config = filled(TEMPLATE, VALUES)
    topics = [TRADE_TOPIC, *WINDOW_TOPICS.values()]
    assert config["topics"].split(",") == topics
    assert config["topic2TableMap"].split(",") == [f"{topic}={topic}" for topic in topics]
    assert config["errors.deadletterqueue.topic.name"] == SINK_DLQ
    assert config["client_version"] == "V1", "V2 sent every record to the dead letters while ClickHouse was down"
    assert config["password"] == "canary $secret"
    assert "password" not in filled(TEMPLATE, VALUES | {"clickhouse_password": ""})
    with pytest.raises(KeyError):
        filled(TEMPLATE, {})


def test_no_secret_is_shown() -> None:
    config = filled(TEMPLATE, VALUES)
    assert "canary" not in json.dumps(masked(config))
    told = differences(config, config | {"password": "another canary", "port": "8443", "extra": "\x1b[0m"})
    assert told == [
        "port: wanted 8123, it has 8443",
        f"password: wanted {MASK}, it has {MASK}",
        r"extra: wanted nothing, it has \x1b[0m",
    ]
    assert differences(config, config | {"name": "cryptostreamx-clickhouse"}) == []


def test_a_connector_is_as_well_as_its_worst_task() -> None:
    running = {"id": 0, "state": "RUNNING", "worker_id": "c:8083"}
    dead = {"id": 1, "state": "FAILED", "worker_id": "c:8083", "trace": TRACE}
    good, bad = seen(status(running), 7), seen(status(running, dead), 7)
    assert (good.state, good.error) == ("running", None)
    assert (bad.state, bad.error) == ("failed", "sink task 1: java.net.ConnectException: Connection refused")
    assert [(task.name, task.state) for task in bad.tasks] == [
        ("sink connector", "running"),
        ("sink task 0", "running"),
        ("sink task 1", "failed"),
    ]
    assert seen({}, 7).state == "no connector"
    assert seen(status({"id": 0, "state": "FAILED"}), 7).error == ("sink task 0: failed, and Connect does not say why")


def test_the_cause_is_the_last_one() -> None:
    assert root_cause(TRACE) == "java.net.ConnectException: Connection refused"
    assert root_cause("java.lang.Error: alone\n\tat x") == "java.lang.Error: alone"
    assert root_cause("") == ""
