"""What becomes of everything the feed receives: judged, counted, encoded, handed to Kafka, or refused and quarantined.

No I/O of its own beyond the log; the clock comes in.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pipeline.feed.examine import Control
from pipeline.feed.quality import Overlap, Quality
from pipeline.model import Reason, Rejection, Source, Trade
from pipeline.producer.frames import LARGEST, Frames
from pipeline.quantiles import Histogram
from pipeline.text import clean, clean_bytes

RAISED_A_SECOND = 20
"""Refusals of one reason that rise as warnings in a second; the others stand in the file alone, and are summed up."""

log = logging.getLogger("pipeline.producer")


class Writer(Protocol):
    """Where trades and refusals go (``pipeline.producer.kafka.KafkaWriter``)."""

    def send(self, symbol: str, value: bytes, event_time: int, received_time: int) -> None:
        """Take one encoded trade."""

    def quarantine(self, rejection: Rejection) -> None:
        """Take one refusal."""

    def room(self) -> Awaitable[Any] | None:
        """Return None, or what to wait for before anything more is handed over."""


class Intake:
    """The feed's ``Receiver``. Counters are since the start; ``frames`` is the sum of all that came."""

    def __init__(self, quality: Quality, encode: Callable[[Trade], bytes], writer: Writer) -> None:
        self._judge, self._vet = quality.judge, quality.vet
        self._encode, self._writer = encode, writer
        self.accepted = self.controls = self.ignored_frames = self.overlapped = 0
        self.refusals: Counter[str] = Counter()
        self._raised: Counter[Reason] = Counter()
        self.kept = Frames()
        """The last frames of accepted trades."""
        self._keep = self.kept.keep
        self.after_control: Callable[[], None] = lambda: None
        """Called after each control message: a subscription may have changed."""
        self.received_after = Histogram()
        """Event time → received, by two clocks: the exchange's and ours, not corrected. Since last taken."""

    @property
    def frames(self) -> int:
        """Frames received."""
        return self.accepted + self.refusals.total() + self.controls + self.ignored_frames + self.overlapped

    def trade(self, trade: Trade, frame: bytes, *, overlapping: bool) -> None:
        """Judge a trade, and send it on if it is good."""
        verdict = self._judge(trade, frame, overlapping=overlapping)
        if verdict is None:
            self.accepted += 1
            if len(frame) <= LARGEST:
                self._keep(frame)
            if trade.source is Source.WS:  # one that REST filled in was received when it was asked for
                self.received_after.add(trade.received_time - trade.event_time)
            self._writer.send(trade.symbol, self._encode(trade), trade.event_time, trade.received_time)
        elif verdict is Overlap.OVERLAP:
            self.overlapped += 1
        else:
            self.refused(verdict)

    def refused(self, rejection: Rejection) -> None:
        """Count, log and quarantine a refusal."""
        rejection = self._vet(rejection)
        reason = rejection.reason
        self.refusals[reason] += 1
        self._raised[reason] += 1
        log.log(
            logging.WARNING if self._raised[reason] <= RAISED_A_SECOND else logging.INFO,
            "refused: %s%s: %s; frame: %s",
            reason.value,
            f" ({clean(rejection.field, 40)})" if rejection.field else "",
            clean(rejection.detail, 200),
            clean_bytes(rejection.frame, 200),
            extra={"reason": reason.value, "symbol": rejection.symbol},
        )
        self._writer.quarantine(rejection)

    def control(self, control: Control) -> None:
        """Count and note a control message; none is an alarm."""
        self.controls += 1
        log.info("exchange: %s %s", control.kind, clean(control.message) or f"(request {clean(str(control.request))})")
        self.after_control()

    def ignored(self) -> None:
        """Count a frame of a stream that carries no trades."""
        self.ignored_frames += 1

    def room(self) -> Awaitable[Any] | None:
        """Return None, or what to wait for while Kafka takes no more."""
        return self._writer.room()

    def sum_up(self) -> None:
        """Say how many refusals did not rise since the last call; once a second."""
        for reason, count in self._raised.items():
            if count > RAISED_A_SECOND:
                more = count - RAISED_A_SECOND
                log.warning("refused: %d more in this second: %s", more, reason.value, extra={"reason": reason.value})
        self._raised.clear()
