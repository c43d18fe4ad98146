"""Searching a topic's records for text, within bounds: it says how far it looked, and can be stopped at any time.

It goes page by page in the direction a person reads, and looks at what a person sees: the decoded key and value, and
the headers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.broker.browse import Browser
from pipeline.broker.page import Page, Record
from pipeline.schemas.decode import HEX, Decoder

CHUNK = 2_000
"""Records read at a time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a search ends by itself: whichever comes first."""

    records: int = 100_000
    seconds: float = 20.0
    hits: int = 200
    size: int = 32 * 1024 * 1024
    """Bytes of keys and values of the hits together."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found so far."""

    hits: tuple[Record, ...]
    """In the order in which they were met."""
    scanned: int
    """Records looked at."""
    reached: Page
    """The last page it looked at: from there it goes on, in the same direction."""
    ended: str
    """Why: ``end`` (nothing is left in this direction), ``records``, ``seconds``, ``hits`` or their size; or empty."""


def search(
    browser: Browser,
    decoder: Decoder,
    first: Page,
    text: str,
    *,
    backwards: bool,
    bounds: Bounds | None = None,
    on_progress: Callable[[Found], Any] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Look for ``text``, whatever its case, from ``first`` on; ``clock`` is in seconds.

    ``first`` itself is looked at too. A chunk that was begun is looked at as a whole, so that the next search can go
    on behind it; ``Bounds.hits`` may be exceeded by it.

    Raises:
        BrowseError: no answer.
        StoppedError: the browser was stopped.
    """
    bounds = bounds or Bounds()
    wanted = text.casefold()
    until = clock() + bounds.seconds
    hits: list[Record] = []
    scanned = 0
    page = first
    while True:
        records = page.records[::-1] if backwards else page.records
        hits += [record for record in records if wanted in seen(record, decoder).casefold()]
        scanned += len(records)
        ended = (
            "end"
            if (page.is_first if backwards else page.is_last)
            else "hits"
            if len(hits) >= bounds.hits or sum(record.size for record in hits) >= bounds.size
            else "records"
            if scanned >= bounds.records
            else "seconds"
            if clock() >= until
            else ""
        )
        found = Found(tuple(hits), scanned, page, ended)
        on_progress(found)
        if ended:
            return found
        size = min(CHUNK, bounds.records - scanned)
        page = browser.before(page, size) if backwards else browser.after(page, size)


def seen(record: Record, decoder: Decoder) -> str:
    """Return everything of a record that can be searched for."""
    parts = []
    for data, decoded in ((record.key, decoder.key(record.key)), (record.value, decoder.value(record.value))):
        # What is not text as a whole may hold some.
        parts.append((data or b"").decode("utf-8", "backslashreplace") if decoded.how == HEX else decoded.text)
    for header in record.headers:
        parts += [header.key, (header.value or b"").decode("utf-8", "backslashreplace")]
    return "\n".join(parts)
