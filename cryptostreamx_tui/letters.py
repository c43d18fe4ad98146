"""Dead letters: why, from where, whether replayed; as a line, as a page, as rows of a file. Pure."""

from collections.abc import Iterable
from typing import Any

from cryptostreamx_tui.details import VALUE_LIMIT, Detail, Section
from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import UNKNOWN, date_time, size
from cryptostreamx_tui.records import decoded_section, encoded, header_section, headers_of, raw_sections
from pipeline.broker.replay import Plan, place_of
from pipeline.broker.replayed import SENT, Mark, Marks, identity
from pipeline.model import PRODUCER_DLQ, DeadLetter
from pipeline.schemas.decode import Decoded
from pipeline.text import clean, clean_bytes

STACK_TRACE_LIMIT = 8000
SEARCHED = 4096
"""Bytes of a header, a key or a payload that a filter looks at: it runs at each key that is typed."""
_TRACE = "__connect.errors.exception.stacktrace"
HEADER = (
    "topic", "partition", "offset", "timestamp", "reason", "stage", "field", "detail", "source", "exception",
    "replayed", "headers", "key_base64", "value_base64",
)  # fmt: skip


def stage(letter: DeadLetter) -> str:
    """Return where a dead letter was refused."""
    if letter.topic == PRODUCER_DLQ:
        return "quality"
    return letter.header("__connect.errors.stage") or "sink"


def source(letter: DeadLetter) -> str:
    """Return the record a dead letter came from (``topic/partition@offset``), or ``–`` for a frame of the feed."""
    topic = letter.header("__connect.errors.topic")
    if topic is None:
        return UNKNOWN
    partition = letter.header("__connect.errors.partition") or UNKNOWN
    return f"{topic}/{partition}@{letter.header('__connect.errors.offset') or UNKNOWN}"


def explanation(letter: DeadLetter) -> str:
    """Return why, in the words of whoever refused it."""
    return letter.header("error.detail") or letter.header("__connect.errors.exception.message") or UNKNOWN


def searched(letter: DeadLetter) -> str:
    """Return all text of a letter, in lower case: what a filter looks at."""
    parts = [letter.topic, place_of(letter), letter.reason, stage(letter), source(letter)]
    for header in letter.headers:
        parts += [header.key, (header.value or b"")[:SEARCHED].decode("utf-8", "backslashreplace")]
    parts += [(data or b"")[:SEARCHED].decode("utf-8", "backslashreplace") for data in (letter.key, letter.value)]
    return "\n".join(parts).casefold()


def letter_detail(
    letter: DeadLetter, decoded: tuple[Decoded, Decoded] | None = None, mark: Mark | None = None
) -> Detail:
    """Return one dead letter, whole; ``decoded`` are its key and value, None while they are not."""
    key, value = decoded if decoded is not None else (None, None)
    trace = letter.header(_TRACE)
    name = "Frame" if letter.topic == PRODUCER_DLQ else "Record"
    return Detail(
        f"Dead letter · {clean(letter.topic, 60)}/{letter.partition}@{letter.offset}",
        (
            Section(
                "Refused",
                (
                    ("reason", clean(letter.reason)),
                    ("stage", clean(stage(letter))),
                    ("field", clean(letter.header("error.field") or UNKNOWN)),
                    ("detail", clean(explanation(letter), VALUE_LIMIT)),
                    ("source", clean(source(letter))),
                    ("exception", clean(letter.header("__connect.errors.exception.class.name") or UNKNOWN)),
                    ("time", date_time(letter.timestamp)),
                    ("key", UNKNOWN if letter.key is None else clean_bytes(letter.key)),
                    ("replayed", "no" if mark is None else f"{clean(mark.words)} at {date_time(mark.time)}"),
                ),
            ),
            decoded_section(name, letter.value, value),
            header_section(h for h in letter.headers if h.key != _TRACE),
            *((Section("Stack trace", text=(clean(trace, STACK_TRACE_LIMIT, multiline=True),)),) if trace else ()),
            *raw_sections(name, letter.value, value),
            *((decoded_section("Key", letter.key, key),) if letter.key is not None else ()),
            *raw_sections("Key", letter.key, key),
        ),
    )


def plan_detail(plan: Plan, mark: Mark | None) -> Detail:
    """Return what a replay would do: the dry run, nothing was sent."""
    letter = plan.letter
    why = clean(explanation(letter), VALUE_LIMIT)
    before = () if mark is None else (("done before", f"{clean(mark.words)} at {date_time(mark.time)}"),)
    if plan.refusal is not None:
        return Detail(
            f"Dry run · {clean(place_of(letter), 80)}",
            (
                Section("It cannot be replayed", (("because", clean(plan.refusal, VALUE_LIMIT)), *before)),
                Section("What it was refused for", (("reason", clean(letter.reason)), ("detail", why))),
            ),
        )
    return Detail(
        f"Dry run · {clean(place_of(letter), 80)}",
        (
            Section("Nothing was sent yet", text=("Leave this page, and you are asked whether to do it.",)),
            Section(
                "What would be sent",
                (
                    *before,
                    ("to topic", clean(plan.target)),
                    ("key", UNKNOWN if plan.key is None else clean_bytes(plan.key)),
                    ("value", f"{size(len(plan.value))}"),
                    ("timestamp", "the time of sending" if plan.timestamp is None else date_time(plan.timestamp)),
                    *(
                        (clean(f"header {name}", 80), "null" if value is None else clean_bytes(value))
                        for name, value in plan.headers
                    ),
                ),
            ),
            Section("To be known before", text=tuple(f"· {clean(fact)}" for fact in plan.facts)),
        ),
    )


def replay_question(plan: Plan, mark: Mark | None) -> str:
    """Return what is asked before it is done."""
    place, target = clean(place_of(plan.letter), 80), clean(plan.target, 80)
    if mark is None:
        return f"Replay {place} to {target}?"
    done = "was" if mark.state == SENT else "may have been"
    return f"{place} {done} replayed before ({clean(mark.words)}). Send it to {target} A SECOND TIME?"


def letter_export(letters: Iterable[DeadLetter], marks: Marks) -> Export:
    """Return letters as rows, oldest first; key and value as base64, every header."""
    rows: list[list[Any]] = []
    for letter in letters:
        mark = marks.get(identity(letter))
        rows.append(
            [
                letter.topic,
                letter.partition,
                letter.offset,
                letter.timestamp,
                letter.reason,
                stage(letter),
                letter.header("error.field"),
                _known(explanation(letter)),
                _known(source(letter)),
                letter.header("__connect.errors.exception.class.name"),
                None if mark is None else mark.words,
                headers_of(letter.headers),
                encoded(letter.key),
                encoded(letter.value),
            ]
        )
    return Export("dead-letters", HEADER, rows)


def _known(text: str) -> str | None:
    return None if text == UNKNOWN else text
