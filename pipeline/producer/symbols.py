"""Which symbols to stream: asked for, checked against the exchange's list, then subscribed.

A change takes effect at once where nothing has to be checked, and within ``PATIENCE`` where the exchange's REST
interface is slow: then the new ones are subscribed unchecked, and left again if they turn out not to be listed. Where
it does not answer at all, that is said, and the check is made up for once it may be.
"""

import asyncio
import logging
from collections.abc import Iterable

from pipeline.feed.binance import Feed
from pipeline.feed.quality import Quality
from pipeline.feed.rest import ExchangeInfo, RestError
from pipeline.model import Reason
from pipeline.text import clean

PATIENCE = 0.5
"""Seconds a new symbol waits for the check: a change is to take effect within one."""

log = logging.getLogger("pipeline.producer")


class Symbols:
    """Turns what is asked for into what the feed wants."""

    def __init__(self, info: ExchangeInfo, quality: Quality, feed: Feed) -> None:
        self._info, self._quality, self._feed = info, quality, feed
        self._listed: set[str] = set()
        self._unchecked: set[str] = set()
        """Streamed though the check is still to be made."""
        self._streamed: tuple[str, ...] = ()
        self.unlisted: tuple[str, ...] = ()
        """Asked for and not streamed, because the exchange does not list them."""
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
        sure = tuple(symbol for symbol in asked if symbol in self._listed | self._unchecked)
        if sure:  # what was left is left, whatever becomes of the others
            self._stream(sure)
        while True:
            new = [symbol for symbol in asked if symbol not in self._listed]
            try:
                self._listed |= await self._checked(new, asked)
            except RestError as error:
                log.warning("%s not checked against the exchange's list, subscribed anyway: %s", names(new), error)
                self._stream_unchecked(new, asked)
                await asyncio.sleep(error.retry_after)
                continue
            self._unchecked.clear()
            self._stream([symbol for symbol in asked if symbol in self._listed])
            self.unlisted = tuple(symbol for symbol in new if symbol not in self._listed)
            for symbol in self.unlisted:
                log.warning(
                    "%s is not listed by the exchange: not subscribed",
                    clean(symbol, 40),
                    extra={"reason": Reason.UNKNOWN_SYMBOL.value, "symbol": clean(symbol, 40)},
                )
            return

    async def _checked(self, new: list[str], asked: tuple[str, ...]) -> set[str]:
        """Return those of the new ones that are listed; stream them all if that takes long."""
        checking = asyncio.ensure_future(self._info.known(new))
        try:
            await asyncio.wait([checking], timeout=PATIENCE)
            if not checking.done():
                log.info("%s subscribed before the exchange's list has answered", names(new))
                self._stream_unchecked(new, asked)
            return await checking
        finally:
            checking.cancel()

    def _stream_unchecked(self, new: Iterable[str], asked: tuple[str, ...]) -> None:
        self._unchecked.update(new)
        self._stream(asked)

    def _stream(self, symbols: Iterable[str]) -> None:
        symbols = tuple(symbols)
        if symbols == self._streamed:
            return
        self._streamed = symbols
        self._quality.ask(self._streamed)
        self._feed.want(self._streamed)


def names(symbols: list[str]) -> str:
    """Return the symbols for a sentence, shortened."""
    shown = ", ".join(clean(symbol, 40) for symbol in symbols[:10])
    return f"{shown} and {len(symbols) - 10} more" if len(symbols) > 10 else shown
