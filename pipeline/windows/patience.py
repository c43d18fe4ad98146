"""Quix's application, except that a broker which cannot answer yet is asked again.

While brokers start, the leaders of partitions and the group's coordinator move to the preferred ones. When partitions
are assigned, Quix asks for the ends of its changelogs and for committed offsets, and takes "not leader for partition"
or "not coordinator" for its own end (quixstreams 3.28, ``state/recovery.py``, ``internal_consumer/consumer.py``).
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from quixstreams import Application
from quixstreams.internal_consumer import InternalConsumer

NOT_YET = frozenset(
    (
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    )
)
"""What a broker says while another one takes over, or while it does itself."""
PATIENCE_S = 15.0
"""Longer than an election takes, also one for which a dead broker's session has to end."""
AGAIN_S = 0.2

Result = TypeVar("Result")


def patient(
    ask: Callable[..., Result],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Callable[..., Result]:
    """Return ``ask``, repeated for as long as the brokers cannot answer yet. Times are in seconds.

    Raises:
        KafkaException: another error, or no answer within ``PATIENCE_S``.
    """

    def repeated(*args: Any, **kwargs: Any) -> Result:
        deadline = clock() + PATIENCE_S
        while True:
            try:
                return ask(*args, **kwargs)
            except KafkaException as error:
                if error.args[0].code() not in NOT_YET or clock() >= deadline:
                    raise
            wait(AGAIN_S)  # the client library looks for the new leader or coordinator meanwhile

    return repeated


class PatientApplication(Application):
    """An ``Application`` whose consumer asks patiently."""

    def _get_internal_consumer(self, *args: Any, **kwargs: Any) -> InternalConsumer:
        consumer = super()._get_internal_consumer(*args, **kwargs)
        consumer.get_watermark_offsets = patient(consumer.get_watermark_offsets)  # type: ignore[method-assign]
        consumer.committed = patient(consumer.committed)  # type: ignore[method-assign]
        return consumer
