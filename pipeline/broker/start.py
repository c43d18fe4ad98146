"""Where a person begins to read a topic: its end, its beginning, an offset, a time. Pure; what is typed becomes one."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

_AGO = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ago = re.compile(r"-\s*(\d{1,9})\s*([smhd])", re.ASCII).fullmatch
_clock = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?", re.ASCII).fullmatch
_OFFSETS = 2**63
EXAMPLES = "end, beginning, an offset, 12:04, 2024-08-08T12:04, -5m, @1723118671000"


@dataclass(frozen=True, slots=True)
class End:
    """The newest records, then back to older ones."""

    def __str__(self) -> str:
        return "the end"


@dataclass(frozen=True, slots=True)
class Beginning:
    """The oldest records that are still there, then on to newer ones."""

    def __str__(self) -> str:
        return "the beginning"


@dataclass(frozen=True, slots=True)
class Offset:
    """An offset, the same in each partition that is read; one that is there no more stands for the nearest one."""

    offset: int

    def __str__(self) -> str:
        return f"offset {self.offset:,}"


@dataclass(frozen=True, slots=True)
class Time:
    """The first record of each partition with this timestamp (ms since the epoch) or a later one."""

    ms: int

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.ms // 1000, UTC)
        return f"{at:%Y-%m-%d %H:%M:%S}.{self.ms % 1000:03} UTC"


Start = End | Beginning | Offset | Time


def parse_start(text: str, now: int) -> Start:
    """Return what a person means. Times are UTC unless they say otherwise; ``now`` is ms since the epoch.

    ``12:04`` is the last 12:04 there was; ``-5m`` is five minutes ago; ``@`` stands before ms since the epoch.

    Raises:
        ValueError: it is none of these; the message says what could be.
    """
    text = text.strip()
    word = text.lower()
    if word in ("end", "newest", "latest"):
        return End()
    if word in ("beginning", "start", "oldest", "earliest"):
        return Beginning()
    digits = text.replace(",", "").replace("_", "")
    if digits.isascii() and digits.isdigit() and int(digits[:20]) < _OFFSETS:
        return Offset(int(digits[:20]))
    if text.startswith("@") and text[1:].isascii() and text[1:].isdigit():
        return _time(int(text[1:21]))
    if ago := _ago(word):
        return _time(now - int(ago[1]) * _AGO[ago[2]])
    if clock := _clock(text):
        return _last(clock.groups(), now)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no place to start; there are: {EXAMPLES}") from None
    return _time(int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))


def _time(ms: int) -> Time:
    if not 0 <= ms < 253_402_300_800_000:
        raise ValueError("a time lies between 1970 and 9999")
    return Time(ms)


def _last(parts: "tuple[str | None, ...]", now: int) -> Time:
    hour, minute, second, milli = parts
    try:
        of_day = time(int(hour or 0), int(minute or 0), int(second or 0), int((milli or "0").ljust(3, "0")) * 1000)
    except ValueError as error:
        raise ValueError(f"there is no such time of day: {error}") from error
    day = datetime.fromtimestamp(now / 1000, UTC).date()
    at = datetime.combine(day, of_day, UTC)
    if at.timestamp() * 1000 > now:
        at -= timedelta(days=1)
    return Time(round(at.timestamp() * 1000))
