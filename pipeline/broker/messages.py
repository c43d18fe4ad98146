"""A person's questions about the records of topics, answered with everything decoded. Blocking calls, for threads.

Each question opens a client of its own and closes it (about 60 ms): nothing is held between two questions, and none
waits for another.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from pipeline.broker.browse import PAGE_RECORDS, Browser
from pipeline.broker.page import Page, Record, TopicView
from pipeline.broker.search import CHUNK, Bounds, Found, search
from pipeline.broker.start import End, Start
from pipeline.schemas.decode import Decoded, Decoder
from pipeline.schemas.registry import registry_of
from pipeline.settings import Settings

REGISTRY_S = 3.0
"""Time-out of the registry: a list waits for it once, whatever the number of records."""


class Question(msgspec.Struct, frozen=True):
    """What of which topic."""

    topic: str
    partition: int | None = None
    """None for all of them."""
    start: Start = End()

    @property
    def backwards(self) -> bool:
        """Whether one reads from the newest to older ones."""
        return isinstance(self.start, End)


class Shown(msgspec.Struct, frozen=True):
    """A record with its key and value as they read on a line."""

    record: Record
    key: Decoded
    value: Decoded


@dataclass(frozen=True, slots=True)
class Look:
    """What one sees: a page of records in the order in which they are read."""

    page: Page
    rows: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search has found, so far or at its end."""

    found: Found
    rows: tuple[Shown, ...]


class Messages:
    """Questions to the brokers and the registry that the settings name; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._decoder = Decoder(registry_of(settings, REGISTRY_S) if settings.schema_registry_url else None)

    def topics(self) -> tuple[TopicView, ...]:
        """Return all topics.

        Raises:
            BrowseError: no answer.
        """
        with Browser(self._settings) as browser:
            return browser.topics()

    def open(self, question: Question, limit: int = PAGE_RECORDS) -> Look:
        """Return the first page.

        Raises:
            BrowseError: no such topic or partition, or no answer.
        """
        with Browser(self._settings) as browser:
            page = browser.open(question.topic, question.partition, question.start, limit)
        return self._look(page, backwards=question.backwards)

    def newer(self, question: Question, page: Page, limit: int = PAGE_RECORDS) -> Look:
        """Return the records behind a page.

        Raises:
            BrowseError: no answer.
        """
        with Browser(self._settings) as browser:
            return self._look(browser.after(page, limit), backwards=question.backwards)

    def older(self, question: Question, page: Page, limit: int = PAGE_RECORDS) -> Look:
        """Return the records before a page.

        Raises:
            BrowseError: no answer.
        """
        with Browser(self._settings) as browser:
            return self._look(browser.before(page, limit), backwards=question.backwards)

    def search(
        self,
        question: Question,
        text: str,
        after: Page | None,
        stopping: threading.Event,
        on_progress: Callable[[int], Any],
        bounds: Bounds | None = None,
    ) -> Hits:
        """Look for text from the question's start on, or behind the page where the last search ended.

        ``on_progress`` is called in this thread with the number of records looked at.

        Raises:
            BrowseError: no answer.
            StoppedError: ``stopping`` was set.
        """
        with Browser(self._settings, stopping=stopping) as browser:
            if after is None:
                first = browser.open(question.topic, question.partition, question.start, CHUNK)
            else:
                first = browser.before(after, CHUNK) if question.backwards else browser.after(after, CHUNK)
            found = search(
                browser,
                self._decoder,
                first,
                text,
                backwards=question.backwards,
                bounds=bounds,
                on_progress=lambda so_far: on_progress(so_far.scanned),
            )
        return Hits(found, tuple(map(self._shown, found.hits)))

    def decode(self, key: bytes | None, value: bytes | None) -> tuple[Decoded, Decoded]:
        """Return a key and a value, read whole."""
        return self._decoder.key(key), self._decoder.value(value)

    def _look(self, page: Page, *, backwards: bool) -> Look:
        records = page.records[::-1] if backwards else page.records
        return Look(page, tuple(map(self._shown, records)))

    def _shown(self, record: Record) -> Shown:
        key, value = self._decoder.key(record.key, whole=False), self._decoder.value(record.value, whole=False)
        return Shown(record, key, value)
