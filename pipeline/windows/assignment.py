"""What the client library's statistics tell about the trade topic: which partitions are read, and how far behind.

The statistics are librdkafka's JSON (``STATISTICS.md`` of the library); only what is used here is decoded. Pure.
"""

from typing import NamedTuple

import msgspec


class _Partition(msgspec.Struct):
    fetch_state: str = "none"
    app_offset: int = -1001
    """What the application takes next; negative before its first record."""
    committed_offset: int = -1001
    """Known before the first record already, where the group has committed."""
    ls_offset: int = -1001
    """The end, for readers of committed records; negative before the first fetch."""

    @property
    def lag(self) -> int | None:
        # The library's own consumer_lag counts from the committed offset, which stays behind records skipped last.
        position = max(self.app_offset, self.committed_offset)
        return max(0, self.ls_offset - position) if position >= 0 and self.ls_offset >= 0 else None


class _Topic(msgspec.Struct):
    partitions: dict[str, _Partition] = {}


class _Broker(msgspec.Struct):
    nodeid: int = -1
    state: str = ""


class _Statistics(msgspec.Struct):
    brokers: dict[str, _Broker] = {}
    topics: dict[str, _Topic] = {}


_decoder = msgspec.json.Decoder(_Statistics)


class Assignment(NamedTuple):
    """The partitions of a topic that are being fetched, and the records behind their ends."""

    partitions: tuple[int, ...]
    lag: int | None
    """None where it is unknown: no partition, one that has not been asked for yet, or no broker connected."""


def assignment(statistics: str, topic: str) -> Assignment:
    """Read one report of the statistics.

    Raises:
        msgspec.DecodeError: this is none.
    """
    seen = _decoder.decode(statistics)
    # "-1" stands for records of no partition yet.
    fetched = {
        int(number): partition
        for number, partition in seen.topics.get(topic, _Topic()).partitions.items()
        if partition.fetch_state == "active" and number != "-1"
    }
    lags = [partition.lag for partition in fetched.values()]
    known = [lag for lag in lags if lag is not None]
    connected = any(broker.state == "UP" and broker.nodeid >= 0 for broker in seen.brokers.values())
    complete = connected and bool(lags) and len(known) == len(lags)
    return Assignment(tuple(sorted(fetched)), sum(known) if complete else None)
