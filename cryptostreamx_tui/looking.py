"""What one is looking at in the messages pane, in words: where from, how far, what is done now. Pure."""

from dataclasses import dataclass

from cryptostreamx_tui.format import Line, Span, duration, hms, safe
from pipeline.broker.messages import Hits, Question
from pipeline.broker.page import Page, TopicView

STALE_MS = 5_000
"""Age of the last answer from which on what is followed is not called live."""
ENDED = {"end": "nothing is left", "records": "next page searches on", "hits": "next page searches on",
         "seconds": "next page searches on"}  # fmt: skip
"""Why a search ended → what is to be said of it."""


@dataclass(slots=True)
class Looking:
    """Where a person is. The pane changes it, the heading reads it."""

    topics: tuple[TopicView, ...] | None = None
    question: Question | None = None
    """None while the topics are shown."""
    page: Page | None = None
    hits: Hits | None = None
    words: str = ""
    """What was searched for."""
    following: bool = False
    skipped: int = 0
    """Records that were passed over while following."""
    doing: str = ""
    searching: bool = False
    scanned: int | None = None
    trouble: str | None = None
    at: int | None = None
    """When the last answer came."""


def heading(looking: Looking, shown: int) -> Line:
    """Return the line above the list; ``shown`` rows are in it."""
    line: Line = []
    if looking.question is None:
        topics = looking.topics
        if topics is not None:
            line.append(Span(f"{len(topics)} topic{'' if len(topics) == 1 else 's'}", "strong"))
        if topics is not None and looking.trouble is None:  # which says more, and needs the room
            line.append(Span(f" · {shown} shown" if shown != len(topics) else " · enter shows the records", "dim"))
            if any(topic.records is None for topic in topics):
                line.append(Span(" · where – stands a partition's leader does not answer", "warn"))
    elif looking.trouble is not None:
        line.append(Span(safe(looking.question.topic, 60), "strong"))
    else:
        line += _where(looking.question, looking, shown)
    if looking.doing:
        scanned = "" if looking.scanned is None else f", {looking.scanned:,} looked at"
        line.append(Span(f" · {looking.doing}{scanned} …", "accent"))
    if looking.trouble is not None:
        old = "" if looking.at is None else f" (what is shown is from {hms(looking.at)}Z)"
        line.append(Span(f" · ✗ {safe(looking.trouble, 300)}{old}", "bad"))
    if line and line[0].text.startswith(" · "):
        line[0] = Span(line[0].text[3:], line[0].tone)
    return line


def stale(looking: Looking, now: int) -> int | None:
    """Return the age of what is followed where it is too old to be called live, in ms."""
    if not looking.following or looking.at is None or now - looking.at <= STALE_MS:
        return None
    return now - looking.at


def _where(question: Question, looking: Looking, shown: int) -> Line:
    line: Line = [Span(safe(question.topic, 60), "strong")]
    if question.partition is not None:
        line.append(Span(f" · partition {question.partition}"))
    page = looking.page
    if looking.hits is not None:
        found = looking.hits.found
        line.append(Span(f" · {shown:,} with “{safe(looking.words, 40)}”", "accent"))
        line.append(Span(f" · {found.scanned:,} looked at, {ENDED[found.ended]}{_reached(looking)}", "dim"))
        return line
    if looking.following:
        line.append(Span(" · following", "good"))
        if looking.skipped:
            line.append(Span(f" · {looking.skipped:,} passed over", "warn"))
    else:
        order = "newest first" if question.backwards else "oldest first"
        line.append(Span(f" · from {question.start}, {order}", "dim"))
        if page is not None:
            line.append(Span(f" · {shown:,} record{'' if shown == 1 else 's'}{_edge(page)}", "dim"))
    if page is not None:
        for part, why in list(page.silent.items())[:3]:
            line.append(Span(f" · partition {part} does not answer: {safe(why, 80)}", "bad"))
    return line


def _edge(page: Page) -> str:
    if page.is_first and page.is_last:
        return ", all there are"
    return ", the first there are" if page.is_first else ", up to the end" if page.is_last else ""


def _reached(looking: Looking) -> str:
    """Say to where a search came: a time says more than offsets."""
    assert looking.hits is not None
    records = looking.hits.found.reached.records
    if looking.hits.found.ended == "end" or not records or looking.question is None:
        return ""
    record = records[0] if looking.question.backwards else records[-1]
    return f", {'back' if looking.question.backwards else 'on'} to offset {record.offset:,}"


def age_words(looking: Looking, now: int) -> Line:
    """``STALE 12s`` where what is followed is old, else when the page was read."""
    old = stale(looking, now)
    if old is not None:
        return [Span(f" STALE {duration(old)} ", "warn")]
    if looking.question is None or looking.at is None or looking.following:
        return []
    return [Span(f" read {hms(looking.at)}Z ", "dim")]
