"""What a person may ask of the running servers: one small method a question, each over a module of its own.

The screens ask here and nowhere else. Every method is a coroutine; what blocks runs in a thread, with a time-out. It
knows addresses (resolved settings), no profile and no process.
"""

from pipeline.feed.listing import Listed, Listing
from pipeline.home import Home
from pipeline.settings import Settings


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
