"""What a person may ask of the running servers: one small method a question, each over a module of its own.

The screens ask here and nowhere else. Every method is a coroutine; what blocks runs in a thread, with a time-out. It
knows addresses (resolved settings), no profile and no process.
"""

import asyncio
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from pipeline.broker.letters import Letters
from pipeline.broker.messages import Hits, Look, Messages, Question
from pipeline.broker.page import Page, TopicView
from pipeline.broker.replay import Plan
from pipeline.broker.replayed import Mark, Marks
from pipeline.feed.listing import Listed, Listing
from pipeline.home import Home
from pipeline.model import DeadLetter
from pipeline.schemas.decode import Decoded
from pipeline.settings import Settings
from pipeline.store import history, query, save


class Desk:
    """Questions to Kafka, the registry, ClickHouse and the exchange of one run."""

    def __init__(self, settings: Settings) -> None:
        """``settings`` have the addresses of all servers."""
        self.settings = settings
        self.home = Home(settings.home)
        self._listing = Listing(settings.binance_rest_url)
        self._messages = Messages(settings)
        self._letters = Letters(settings, self.home)

    async def listing(self) -> tuple[Listed, ...]:
        """Return every symbol that the exchange lists, by name.

        Raises:
            RestError: it does not tell, in its own words.
        """
        return await self._listing.all()

    # ------------------------------------------------------------ a person's queries

    async def run_query(self, sql: str, query_id: str, *, confirmed: bool = False) -> query.Answer:
        """Run one statement; see ``pipeline.store.query.run``."""
        return await query.run(self.settings, sql, query_id, confirmed=confirmed)

    async def cancel_query(self, query_id: str) -> bool:
        """Kill a running query; see ``pipeline.store.query.cancel``."""
        return await query.cancel(self.settings, query_id)

    async def save_query(self, sql: str, ending: str, path: Path, query_id: str) -> save.Saved:
        """Write a query's whole result into a file; see ``pipeline.store.save.save``."""
        return await save.save(self.settings, sql, ending, path, query_id)

    async def query_history(self) -> list[history.Ran]:
        """Return the queries that were run, the newest first."""
        return await asyncio.to_thread(history.read, self.home.path / history.FILE)

    async def remember_query(self, sql: str, at: int) -> None:
        """Keep a query (that ran at ``at``, ms since the epoch) in the history."""
        await asyncio.to_thread(history.remember, self.home.path / history.FILE, sql, at)

    # ------------------------------------------------------------ the records of any topic

    async def topics(self) -> tuple[TopicView, ...]:
        """Return all topics; see ``pipeline.broker.messages`` for this and what follows."""
        return await asyncio.to_thread(self._messages.topics)

    async def open_topic(self, question: Question, limit: int) -> Look:
        """Return the first page of records."""
        return await asyncio.to_thread(self._messages.open, question, limit)

    async def newer(self, question: Question, page: Page, limit: int) -> Look:
        """Return the records behind a page."""
        return await asyncio.to_thread(self._messages.newer, question, page, limit)

    async def older(self, question: Question, page: Page, limit: int) -> Look:
        """Return the records before a page."""
        return await asyncio.to_thread(self._messages.older, question, page, limit)

    async def search(
        self, question: Question, text: str, after: Page | None, on_progress: Callable[[int], None]
    ) -> Hits:
        """Look for text; ``on_progress`` is told in this loop how many records were looked at. Cancelling stops it."""
        stopping, loop = threading.Event(), asyncio.get_running_loop()

        def told(scanned: int) -> None:
            if not stopping.is_set():
                loop.call_soon_threadsafe(on_progress, scanned)

        try:
            return await asyncio.to_thread(self._messages.search, question, text, after, stopping, told)
        finally:
            stopping.set()

    async def decode(self, key: bytes | None, value: bytes | None) -> tuple[Decoded, Decoded]:
        """Return a key and a value as they read; what cannot be read says why."""
        return await asyncio.to_thread(self._messages.decode, key, value)

    # ------------------------------------------------------------ dead letters

    async def dry_run(self, letter: DeadLetter, symbols: Collection[str]) -> Plan:
        """Return what a replay would do; see ``pipeline.broker.letters`` for this and what follows."""
        return await asyncio.to_thread(self._letters.dry_run, letter, symbols)

    async def replay(self, plan: Plan, *, force: bool = False) -> Mark:
        """Send what was planned, once; ``force`` only after an explicit answer."""
        return await asyncio.to_thread(self._letters.replay, plan, force=force)

    async def replayed(self) -> Marks:
        """Return what was replayed."""
        return await asyncio.to_thread(self._letters.replayed)
