"""Quix's application, except that a partition whose leader has just moved is asked again.

While brokers start, leaders move to the preferred ones. Quix asks for the ends of its changelogs when it is assigned
their partitions, and takes "not leader for partition" for its end (quixstreams 3.28, ``state/recovery.py``).
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from quixstreams import Application
from quixstreams.internal_consumer import InternalConsumer

LEADER_MOVES = frozenset((KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE))
PATIENCE_S = 15.0
"""Longer than an election takes, also one for which a dead broker's session has to end."""
AGAIN_S = 0.2

Result = TypeVar("Result")


def while_leaders_move(
    ask: Callable[..., Result],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Callable[..., Result]:
    """Return ``ask``, repeated for as long as there is no leader to answer it. Times are in seconds.

    Raises:
        KafkaException: another error, or no leader within ``PATIENCE_S``.
    """

    def patiently(*args: Any, **kwargs: Any) -> Result:
        deadline = clock() + PATIENCE_S
        while True:
            try:
                return ask(*args, **kwargs)
            except KafkaException as error:
                if error.args[0].code() not in LEADER_MOVES or clock() >= deadline:
                    raise
            wait(AGAIN_S)  # the client library fetches the new leaders meanwhile

    return patiently


class PatientApplication(Application):
    """An ``Application`` whose consumer is asked patiently for the ends of partitions."""

    def _get_internal_consumer(self, *args: Any, **kwargs: Any) -> InternalConsumer:
        consumer = super()._get_internal_consumer(*args, **kwargs)
        consumer.get_watermark_offsets = while_leaders_move(consumer.get_watermark_offsets)  # type: ignore[method-assign]
        return consumer
