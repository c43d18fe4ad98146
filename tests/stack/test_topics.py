"""The topics as they are on real brokers, the windows' changelogs included: nothing eats what is in them."""

from pathlib import Path

from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from pipeline.broker.topics import wanted_topics
from pipeline.settings import Settings
from pipeline.windows.changelogs import changelog_topics
from tests.stack.application import Application


def test_every_topic_is_as_wanted_and_keeps_what_it_holds(tmp_path: Path) -> None:
    settings = Settings.load({}, None)
    wanted = {spec.name: spec for spec in (*wanted_topics(settings), *changelog_topics(settings))}
    with Application(tmp_path, "--feed", "simulated") as app:
        app.running()
        app.wait_for(lambda line: line["type"] == "report" and line["event"].get("processed", 0) > 100, 60)
        admin = AdminClient({"bootstrap.servers": app.service("kafka-0")["address"]})
        topics = {name: t for name, t in admin.list_topics(timeout=10).topics.items() if not name.startswith("__")}
        resources = {name: ConfigResource(ResourceType.TOPIC, name) for name in topics}
        configs = admin.describe_configs(list(resources.values()))
        found = {name: configs[resource].result(10) for name, resource in resources.items()}
        app.terminate()
    assert topics.keys() == wanted.keys(), "Quix made a changelog under another name, or a topic is missing"
    for name, spec in wanted.items():
        assert [len(p.replicas) for p in topics[name].partitions.values()] == [spec.replication] * spec.partitions
        assert {key: found[name][key].value for key in spec.config} == dict(spec.config)
        assert found[name]["retention.ms"].value == found[name]["retention.bytes"].value == "-1"
        assert found[name]["min.insync.replicas"].value == "2"
