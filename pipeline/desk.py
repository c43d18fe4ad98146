"""What a person may ask of the running servers: one small method a question, each over a module of its own.

The screens ask here and nowhere else. Every method is a coroutine; what blocks runs in a thread, with a time-out. It
knows addresses (resolved settings), no profile and no process.
"""

import asyncio
from pathlib import Path

from pipeline.feed.listing import Listed, Listing
from pipeline.home import Home
from pipeline.settings import Settings
from pipeline.store import history, query, save


class Desk:
    """Questions to Kafka, the registry, ClickHouse and the exchange of one run."""

    def __init__(self, settings: Settings) -> None:
        """``settings`` have the addresses of all servers."""
        self.settings = settings
        self.home = Home(settings.home)
        self._listing = Listing(settings.binance_rest_url)

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
