"""Which symbols to stream: asked for, checked against the exchange's list, then subscribed.

Where the exchange's REST interface does not answer, they are subscribed unchecked, that is said, and the check is made
up for once it may be.
"""

import asyncio
import logging
from collections.abc import Iterable

from pipeline.feed.binance import Feed
from pipeline.feed.quality import Quality
from pipeline.feed.rest import ExchangeInfo, RestError
from pipeline.model import Reason
from pipeline.text import clean

log = logging.getLogger("pipeline.producer")


class Symbols:
    """Turns what is asked for into what the feed wants."""

    def __init__(self, info: ExchangeInfo, quality: Quality, feed: Feed) -> None:
        self._info, self._quality, self._feed = info, quality, feed
        self._listed: set[str] = set()
        self._work: asyncio.Task[None] | None = None

    def ask(self, symbols: Iterable[str]) -> None:
        """Stream exactly these from now on; replaces what was asked before."""
        self.cancel()
        self._work = asyncio.create_task(self._settle(tuple(dict.fromkeys(symbols))))

    def cancel(self) -> None:
        """Stop checking."""
        if self._work is not None:
            self._work.cancel()

    async def _settle(self, asked: tuple[str, ...]) -> None:
        while True:
            new = [symbol for symbol in asked if symbol not in self._listed]
            try:
                self._listed |= await self._info.known(new)
            except RestError as error:
                log.warning("%s not checked against the exchange's list, subscribed anyway: %s", names(new), error)
                self._stream(asked)
                await asyncio.sleep(error.retry_after)
                continue
            self._stream([symbol for symbol in asked if symbol in self._listed])
            for symbol in new:
                if symbol not in self._listed:
                    log.warning(
                        "%s is not listed by the exchange: not subscribed",
                        clean(symbol, 40),
                        extra={"reason": Reason.UNKNOWN_SYMBOL.value, "symbol": clean(symbol, 40)},
                    )
            return

    def _stream(self, symbols: Iterable[str]) -> None:
        symbols = tuple(symbols)
        self._quality.ask(symbols)
        self._feed.want(symbols)


def names(symbols: list[str]) -> str:
    """Return the symbols for a sentence, shortened."""
    shown = ", ".join(clean(symbol, 40) for symbol in symbols[:10])
    return f"{shown} and {len(symbols) - 10} more" if len(symbols) > 10 else shown
