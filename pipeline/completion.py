"""When a replayed recording has arrived everywhere: the books balance and the store agrees (``--until-end``)."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.events import ChildEvent, Command, ProducerStats
from pipeline.ledger import Ledger, Stored
from pipeline.text import clean

POLL = 0.25
"""Seconds between two looks at books that do not balance yet."""
PATIENCE = 60.0
"""Seconds without any change after which what is missing counts as lost."""

Ranges = dict[str, tuple[tuple[int, int], ...]]
"""Symbol → inclusive ranges of trade ids."""


class Pipeline(Protocol):
    """What is asked of the running stack."""

    def send(self, service: str, command: Command) -> bool:
        """Send a command to a child; False where it does not run."""

    async def audit(self, accepted: Ranges) -> Stored:
        """Look up in the store what is there of the accepted trades, and of the windows that are due.

        Raises:
            ClickHouseError: the store does not answer.
        """


class Completion:
    """Watches the reports of one run and audits the store once they balance."""

    def __init__(
        self, pipeline: Pipeline, clock: Callable[[], float], patience: float = PATIENCE, poll: float = POLL
    ) -> None:
        """``clock`` counts seconds, monotonic; so do ``patience`` and ``poll``."""
        self._pipeline = pipeline
        self._clock = clock
        self._patience = patience
        self._poll = poll
        self._ledger = Ledger()
        self._accepted: Ranges | None = None
        self._stored: Stored | None = None
        self._missing = ["the run ended before its books were looked at"]

    def apply(self, event: ChildEvent) -> None:
        """Take a child's event."""
        self._ledger.apply(event)
        if isinstance(event, ProducerStats) and event.accepted_ids is not None:
            self._accepted = event.accepted_ids

    async def wait(self) -> None:
        """Return once everything has arrived, or once nothing has changed for too long; ``summary`` tells which."""
        seen, since = self._missing, self._clock()
        while True:
            self._missing = await self._look()
            if not self._missing:
                return
            if self._missing != seen or self._may_go_on():
                seen, since = self._missing, self._clock()
            if self._clock() - since > self._patience:
                return
            await asyncio.sleep(self._poll)

    def summary(self, failure: str | None = None) -> dict[str, object]:
        """Return the last line's fields. ``failure`` is what ended the run before its time."""
        return self._ledger.summary(self._stored, [*([failure] if failure else []), *self._missing])

    async def _look(self) -> list[str]:
        if unsettled := self._ledger.unsettled():
            return unsettled
        if self._accepted is None:
            self._pipeline.send("producer", Command(report_ids=True))
            return ["the producer has not told which trades it accepted"]
        try:
            self._stored = await self._pipeline.audit(self._accepted)
        except ClickHouseError as error:  # it may be away for a moment
            return [f"the store does not answer: {clean(str(error))}"]
        return self._ledger.unstored(self._stored)

    def _may_go_on(self) -> bool:
        """A slow start is no stall (a failed one ends the run by itself), nor is a quiet stretch of a recording."""
        exchange, producer = self._ledger.exchange, self._ledger.producer
        return exchange is None or producer is None or (producer.connected and not exchange.ended)
