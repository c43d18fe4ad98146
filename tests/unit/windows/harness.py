"""Quix's own machinery with its state on disk, but neither brokers nor changelogs: records go in, windows come out."""

from pathlib import Path
from typing import Any

import pytest
from quixstreams import Application, MessageContext
from quixstreams.context import copy_context, set_message_context
from quixstreams.models import TopicAdmin, TopicConfig

from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS, Trade, Window
from pipeline.windows.quix import WindowsTopology
from pipeline.windows.stats import Tally

KEPT = {"retention.ms": "-1", "retention.bytes": "-1"}
_TOPIC_SIZES = {topic: size for size, topic in WINDOW_TOPICS.items()}


class Harness:
    """One partition of the trade topic. ``commit`` keeps the state, ``crash`` loses what was not committed."""

    def __init__(self, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def inspect(_admin: object, names: list[str], timeout: float = 0) -> dict[str, TopicConfig]:
            return {name: TopicConfig(1, 1, KEPT) for name in names}

        monkeypatch.setattr(TopicAdmin, "inspect_topics", inspect)
        self._state_dir = state_dir
        self.windows: list[Window] = []
        self._start()

    def _start(self) -> None:
        self.tally = Tally()
        self._app = Application(
            broker_address="127.0.0.1:1",
            consumer_group="test",
            state_dir=self._state_dir,
            use_changelog_topics=False,
            loglevel=None,
        )
        self.topology = WindowsTopology(self._app, self.tally, _no_codec, dict.fromkeys(WINDOW_TOPICS, _no_codec))
        context: Any = self._app._processing_context
        producer: Any = self._app._producer
        producer.produce_row = self._take
        producer.flush = lambda *_args, **_options: 0
        self._context = context
        stores: Any = self._app._state_manager
        stores.init()
        self._stream_id = next(iter(stores.stores))
        stores.on_partition_assign(stream_id=self._stream_id, partition=0, committed_offsets={})
        context.init_checkpoint()
        self._process = self._app._dataframe_registry.compose_all()[TRADE_TOPIC]
        self._offset = 0

    def send(self, trade: Trade, key: bytes | None = None) -> None:
        place = MessageContext(topic=TRADE_TOPIC, partition=0, offset=self._offset, size=1)
        self._offset += 1
        context = copy_context()
        context.run(set_message_context, place)
        context.run(self._process, trade, trade.symbol.encode() if key is None else key, trade.event_time, None)

    def _take(self, row: Any, topic: Any, key: Any, **_: Any) -> None:
        window = row.value
        assert isinstance(window, Window)
        assert key == window.symbol.encode()
        assert _TOPIC_SIZES[topic.name] == window.size
        self.windows.append(window)

    def commit(self) -> None:
        self._context.commit_checkpoint(force=True)

    def crash(self) -> None:
        """Throw away everything since the last commit, and start again on what is on disk."""
        self._context.checkpoint._store_transactions.clear()
        self._app._state_manager.on_partition_revoke(stream_id=self._stream_id, partition=0)
        self._start()

    def load(self) -> None:
        self.topology.load(0)


def _no_codec(_: Any) -> Any:
    raise AssertionError("records are decoded already here")
