import asyncio
import socket
from typing import Any

import pytest
from confluent_kafka import KafkaError

from pipeline.broker import cluster
from pipeline.broker.cluster import ClusterWatch, view
from pipeline.events import BrokerView, ClusterSeen
from pipeline.settings import Settings
from tests.unit.broker.fakes import Admin, Broker, Metadata, Partition, Topic


def three_brokers() -> Metadata:
    return Metadata(
        brokers={n: Broker(n, port=9092 + n) for n in (2, 0, 1)},
        controller_id=1,
        topics={
            "b": Topic({0: Partition(0, [0, 1, 2], [0, 1, 2]), 1: Partition(1, [1, 2, 0], [1, 2])}),
            "a": Topic({0: Partition(-1, [2, 0, 1], [])}),
        },
    )


def test_counts_leaders_in_sync_under_replicated_and_offline() -> None:
    seen = view(three_brokers(), {0: True, 1: True}, expected=3, now=7)
    assert seen == ClusterSeen(
        time=7,
        brokers=(
            BrokerView(0, "127.0.0.1", 9092, True, 1, False, replicas=3, in_sync=1, leader_skew=50.0, replica_skew=0.0),
            BrokerView(1, "127.0.0.1", 9093, True, 1, True, replicas=3, in_sync=2, leader_skew=50.0, replica_skew=0.0),
            BrokerView(2, "127.0.0.1", 9094, False, 0, False, 3, 2, leader_skew=-100.0, replica_skew=0.0),
        ),
        expected_brokers=3,
        partitions=3,
        replicas=9,
        in_sync=5,
        under_replicated=2,
        offline=1,
        topics={"a": 1, "b": 2},
        controller=1,
    )
    assert (seen.online, seen.out_of_sync) == (2, 4)
    assert [broker.out_of_sync for broker in seen.brokers] == [2, 1, 1]


def test_a_cluster_without_a_controller_or_without_partitions_has_no_figures_made_up() -> None:
    metadata = three_brokers()
    metadata.controller_id = -1
    metadata.topics.clear()
    seen = view(metadata, {}, expected=3, now=7)
    assert seen.controller is None
    assert [(broker.leader_skew, broker.replica_skew) for broker in seen.brokers] == [(None, None)] * 3


def test_a_broker_that_left_the_cluster_stays_in_sight_with_the_replicas_that_wait_for_it() -> None:
    metadata = three_brokers()
    known = dict(metadata.brokers)
    del metadata.brokers[0]
    gone, *others = view(metadata, {1: True, 2: True}, expected=3, now=7, known=known).brokers
    assert gone == BrokerView(0, "127.0.0.1", 9092, False, 1, False, 3, 1, leader_skew=100.0, replica_skew=0.0)
    assert [broker.id for broker in others] == [1, 2]


def test_nothing_known_yet_is_an_error_without_brokers() -> None:
    assert view(None, {}, 3, 7, "no answer") == ClusterSeen(time=7, expected_brokers=3, error="no answer")


class Watched:
    """A watch over a fake admin client; the first broker's port is really there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.admin = Admin()
        self.admin.metadata = Metadata({0: Broker(0, port=port), 1: Broker(1, port=1)}, 0)
        self.admin.poll = lambda _seconds: 0  # type: ignore[attr-defined]
        monkeypatch.setattr(cluster, "admin_client", lambda _settings: self.admin)
        settings = Settings.load({"kafka_bootstrap_servers": "127.0.0.1:1"}, env_file=None)
        self.seen: asyncio.Queue[ClusterSeen] = asyncio.Queue()
        self.watch = ClusterWatch(settings, self.seen.put_nowait, expected_brokers=3, interval=0.01)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Watched(monkeypatch, server.getsockname()[1])


async def test_a_listed_broker_whose_port_is_closed_is_unreachable(watched: Watched) -> None:
    seen = await watched.watch.look()
    assert [broker.reachable for broker in seen.brokers] == [True, False]
    assert (seen.error, seen.expected_brokers) == (None, 3)


async def test_a_total_loss_shows_the_known_brokers_and_passes(watched: Watched) -> None:
    running = asyncio.create_task(watched.watch.run())
    try:
        assert (await watched.seen.get()).error is None
        watched.admin.down = KafkaError(KafkaError._TRANSPORT, "all down\x1b[2J")
        while (seen := await watched.seen.get()).error is None:
            pass
        assert "all down\\x1b[2J" in seen.error
        assert len(seen.brokers) == 2
        watched.admin.down = None
        while (await watched.seen.get()).error is not None:
            pass
    finally:
        running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
