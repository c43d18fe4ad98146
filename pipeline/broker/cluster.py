"""The cluster's health, every two seconds: what its metadata says, and which brokers' ports answer.

``list_topics()`` keeps answering in milliseconds while the controller is away, which the other admin calls do not; but
it lists a killed broker until ZooKeeper's session has run out. A TCP probe of each listed broker tells at once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaException

from pipeline.broker.topics import admin_client, words
from pipeline.child import now_ms
from pipeline.events import BrokerView, ClusterSeen
from pipeline.settings import Settings

INTERVAL_S = 2.0
METADATA_TIMEOUT_S = 3.0
PROBE_TIMEOUT_S = 1.0


def view(
    metadata: Any,
    reachable: Mapping[int, bool],
    expected: int,
    now: int,
    error: str | None = None,
    known: Mapping[int, Any] | None = None,
) -> ClusterSeen:
    """Return what the metadata and the probes say. Pure.

    ``metadata`` is the client library's ``ClusterMetadata`` (or None), ``reachable`` has the probes by broker id,
    ``expected`` is how many brokers there should be, ``now`` in milliseconds. ``known`` has the brokers that were ever
    listed: one that left the cluster stays in sight, unreachable, with the replicas that wait for it.
    """
    if metadata is None:
        return ClusterSeen(time=now, expected_brokers=expected, error=error)
    partitions = [part for topic in metadata.topics.values() for part in topic.partitions.values()]
    leaders = [part.leader for part in partitions]
    led, placed, synced = Counter(leaders), Counter[int](), Counter[int]()
    for part in partitions:
        placed.update(part.replicas)
        synced.update(part.isrs)
    ids = sorted(metadata.brokers)
    mean_led = sum(led[broker] for broker in ids) / len(ids) if ids else 0.0
    mean_placed = sum(placed[broker] for broker in ids) / len(ids) if ids else 0.0
    brokers = tuple(
        BrokerView(
            id=broker.id,
            host=broker.host,
            port=broker.port,
            reachable=reachable.get(broker.id, False),
            leaders=led[broker.id],
            is_controller=broker.id == metadata.controller_id,
            replicas=placed[broker.id],
            in_sync=synced[broker.id],
            leader_skew=skew(led[broker.id], mean_led),
            replica_skew=skew(placed[broker.id], mean_placed),
        )
        for _, broker in sorted(({**(known or {}), **metadata.brokers}).items())
    )
    return ClusterSeen(
        time=now,
        brokers=brokers,
        expected_brokers=max(expected, len(brokers)),
        partitions=len(partitions),
        replicas=sum(len(part.replicas) for part in partitions),
        in_sync=sum(len(part.isrs) for part in partitions),
        under_replicated=sum(len(part.isrs) < len(part.replicas) for part in partitions),
        offline=sum(leader < 0 for leader in leaders),
        error=error,
        topics={name: len(topic.partitions) for name, topic in sorted(metadata.topics.items())},
        controller=metadata.controller_id if metadata.controller_id >= 0 else None,
    )


def skew(count: int, mean: float) -> float | None:
    """Return by how many percent, to a tenth, ``count`` is above the mean (negative: below); None where that is 0."""
    return round((count - mean) / mean * 100, 1) if mean else None


class ClusterWatch:
    """Emits a ``ClusterSeen`` every two seconds, for as long as ``run`` runs; comes back by itself after any loss."""

    def __init__(
        self,
        settings: Settings,
        emit: Callable[[ClusterSeen], None],
        expected_brokers: int = 0,
        interval: float = INTERVAL_S,
    ) -> None:
        """``emit`` is called in the event loop; ``interval`` is in seconds.

        ``expected_brokers`` 0 stands for as many as were ever seen.
        """
        self._emit = emit
        self._interval = interval
        self._expected = expected_brokers
        self._metadata: Any = None
        self._known: dict[int, Any] = {}
        self._admin = admin_client(settings)

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            self._emit(await self.look())
            await asyncio.sleep(max(0.0, self._interval - (loop.time() - started)))

    async def look(self) -> ClusterSeen:
        """Look once. Where no broker answers, the last known brokers are shown with what the probes say."""
        asking = asyncio.create_task(asyncio.to_thread(self._ask))
        # While every broker is away the metadata take their whole time-out; the ports need not wait for that.
        known = await self._probe(self._metadata)
        try:
            self._metadata, error = await asking, None
        except KafkaException as exception:
            error = words(exception)
        listed = {} if self._metadata is None else self._metadata.brokers
        reachable = known if known.keys() == listed.keys() else await self._probe(self._metadata)
        self._expected = max(self._expected, len(listed))
        self._known |= listed
        return view(self._metadata, reachable, self._expected, now_ms(), error, self._known)

    def _ask(self) -> Any:
        self._admin.poll(0)  # serves the library's log
        return self._admin.list_topics(timeout=METADATA_TIMEOUT_S)

    @staticmethod
    async def _probe(metadata: Any) -> dict[int, bool]:
        if metadata is None:
            return {}
        brokers = list(metadata.brokers.values())
        answers = await asyncio.gather(*(_answers(broker.host, broker.port) for broker in brokers))
        return {broker.id: answer for broker, answer in zip(brokers, answers, strict=True)}


async def _answers(host: str, port: int) -> bool:
    """Tell whether a TCP connection is taken."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True
