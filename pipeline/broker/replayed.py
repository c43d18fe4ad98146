"""Which dead letters were replayed: remembered across restarts, so that none is replayed twice by accident.

A file of JSON lines in the home, beside the servers' data, only ever appended to. A line is on the disk before the
record is sent and another one after its acknowledgement, so that a crash in between is seen: such a letter may have
been replayed, and counts as if it was. A marker in a topic would say the same, but not before the sending, and reading
it back would mean reading that topic to its end. Other homes do not know of it; the record itself carries the header
``cryptostreamx.replayed_from``.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Mapping
from typing import IO

import msgspec

from pipeline.broker.replay import NotSentError, place_of
from pipeline.home import Home
from pipeline.model import DeadLetter

SENDING, SENT, FAILED = "sending", "sent", "failed"

_log = logging.getLogger(__name__)


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: what became of the replay of a letter."""

    letter: str
    """``topic/partition@offset``."""
    stamp: int
    """The letter's own timestamp: a topic that was made anew has other letters at the same places."""
    state: str
    """``sending`` (before, and where nobody knows), ``sent``, or ``failed`` (it is certainly not there)."""
    time: int
    target: str = ""
    """Where it stands now: ``topic/partition@offset``."""

    @property
    def words(self) -> str:
        """``replayed to …``, or that nobody knows."""
        return f"replayed to {self.target}" if self.state == SENT else "perhaps replayed: no acknowledgement came"


Marks = Mapping[tuple[str, int], Mark]
"""(place, timestamp) of a letter → the last mark; letters whose replay failed for certain have none."""


class AlreadyReplayedError(RuntimeError):
    """The letter was replayed, or may have been."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(f"{mark.letter} was {mark.words}")
        self.mark = mark


def identity(letter: DeadLetter) -> tuple[str, int]:
    """Return what a letter is known by."""
    return place_of(letter), letter.timestamp


class Replayed:
    """The file of one home."""

    def __init__(self, home: Home) -> None:
        self._path = home.data / "replayed.jsonl"

    def marks(self) -> Marks:
        """Return what is known; empty where nothing was ever replayed.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        return _marks(content)

    def once(self, letter: DeadLetter, sending: Callable[[], str], clock: Callable[[], int], *, force: bool) -> Mark:
        """Do ``sending`` (it returns where the record stands now) unless it was done before; ``clock`` is in ms.

        ``force`` does it all the same: only ever a person's explicit answer. Another process of the same home waits.

        Raises:
            AlreadyReplayedError: it was done, or may have been.
            OSError: the file cannot be written; nothing was sent then.
            NotSentError, PerhapsSentError: from ``sending``.
        """
        place, stamp = identity(letter)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed
            file.seek(0)
            before = file.read()
            known = _marks(before).get((place, stamp))
            if known is not None and not force:
                raise AlreadyReplayedError(known)
            if before and not before.endswith(b"\n"):
                file.write(b"\n")  # a line that a crash cut short
            _append(file, Mark(place, stamp, SENDING, clock()))
            try:
                target = sending()
            except NotSentError:
                # An earlier replay that was forced now stays known.
                _append(file, known if known is not None else Mark(place, stamp, FAILED, clock()))
                raise
            mark = Mark(place, stamp, SENT, clock(), target)
            _append(file, mark)
            return mark


def _append(file: IO[bytes], mark: Mark) -> None:
    file.write(msgspec.json.encode(mark) + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _marks(content: bytes) -> dict[tuple[str, int], Mark]:
    marks: dict[tuple[str, int], Mark] = {}
    for line in content.splitlines():
        if not line.strip():
            continue
        try:
            mark = msgspec.json.decode(line, type=Mark)
        except msgspec.MsgspecError:  # cut short by a crash, before anything was sent
            _log.warning("a line of the replayed letters cannot be read: %r", line[:100])
            continue
        marks.pop((mark.letter, mark.stamp), None)
        if mark.state != FAILED:
            marks[mark.letter, mark.stamp] = mark
    return marks
