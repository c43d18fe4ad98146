"""The changelog topics that Quix Streams keeps its state in, made beforehand so that nothing can eat the state.

Quix would make them too, but with the brokers' default for ``min.insync.replicas``. Their names are Quix's own
(``quixstreams/models/topics/manager.py``: ``changelog__<group>--<stream>--<store>``); a test on a real broker holds
the two together.
"""

from pipeline.broker.topics import COMMON, TopicSpec
from pipeline.model import TRADE_TOPIC, WINDOW_MS
from pipeline.settings import APP, Settings

GROUP = f"{APP}-windows"
"""The consumer group; part of the names of the changelog topics and of the state's folder."""
PARTITION_STORE = "default"
"""The store of what belongs to a partition (``pipeline.windows.late``)."""


def window_store(size: str) -> str:
    """Return the name of the store of a size's windows."""
    return f"window-{size}"


def changelog_topics(settings: Settings) -> list[TopicSpec]:
    """Return the changelogs: as many partitions as the trade topic has, compacted, nothing deleted by age or size."""
    config = COMMON | {
        "cleanup.policy": "compact",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "min.insync.replicas": str(settings.min_insync),
    }
    stores = [PARTITION_STORE, *map(window_store, WINDOW_MS)]
    return [
        TopicSpec(
            f"changelog__{GROUP}--{TRADE_TOPIC}--{store}", settings.topic_partitions, settings.replication, config
        )
        for store in stores
    ]
