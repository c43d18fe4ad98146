"""The exchange's own 24-hour tickers of the known symbols, about once a minute (``GET /api/v3/ticker/24hr``).

``type=MINI`` weighs 2 for up to 20 symbols, 40 for up to 100, of 6,000 a minute (rest-api.md).
"""

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from pipeline.child import now_ms
from pipeline.events import DaySeen, DayTicker
from pipeline.feed.rest import BAD_SYMBOL, RestError, is_loopback, refusal

EVERY_S = 60.0
SOON_S = 1.0
"""After which a change of the known symbols is asked for: several at once are one request."""
TIMEOUT_S = 10.0
A_REQUEST = 100
"""Symbols of one request."""


class DayWatch:
    """Asks until cancelled. What cannot be told is told as an error, and is unknown until it can."""

    def __init__(self, url: str, emit: Callable[[DaySeen], None], symbols: Callable[[], Sequence[str]]) -> None:
        """``url`` is the REST interface without a path; ``symbols`` returns those that are known at the moment."""
        self._url = url.rstrip("/")
        self._emit, self._symbols = emit, symbols
        self._unlisted: set[str] = set()
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Say that other symbols are known now."""
        self._changed.set()

    async def run(self) -> None:
        """Ask, and ask again."""
        client = await asyncio.to_thread(httpx.AsyncClient, timeout=TIMEOUT_S, trust_env=not is_loopback(self._url))
        async with client:
            while True:
                self._changed.clear()
                wait = EVERY_S
                try:
                    seen = DaySeen(now_ms(), await self._ask(client))
                except RestError as error:
                    seen = DaySeen(now_ms(), error=str(error))
                    wait = max(wait, error.retry_after)
                self._emit(seen)
                if seen.error is None and await _happens(self._changed, wait):
                    await asyncio.sleep(SOON_S)
                elif seen.error is not None:
                    await asyncio.sleep(wait)  # the exchange's own wait is kept, whoever is in a hurry

    async def _ask(self, client: httpx.AsyncClient) -> dict[str, DayTicker]:
        symbols = [symbol for symbol in self._symbols() if symbol not in self._unlisted]
        found: dict[str, DayTicker] = {}
        for at in range(0, len(symbols), A_REQUEST):
            found |= await self._of(client, symbols[at : at + A_REQUEST])
        return found

    async def _of(self, client: httpx.AsyncClient, symbols: list[str]) -> dict[str, DayTicker]:
        if not symbols:
            return {}
        wanted = json.dumps(symbols, ensure_ascii=False, separators=(",", ":"))
        try:
            response = await client.get(f"{self._url}/api/v3/ticker/24hr", params={"symbols": wanted, "type": "MINI"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RestError(f"{self._url}: {str(error) or type(error).__name__}") from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.is_success and isinstance(answer, list):
            made = {entry.get("symbol"): ticker_of(entry) for entry in answer if isinstance(entry, dict)}
            return {symbol: ticker for symbol in symbols if (ticker := made.get(symbol)) is not None}
        if response.status_code == 400 and isinstance(answer, dict) and answer.get("code") in BAD_SYMBOL:
            if len(symbols) == 1:
                self._unlisted.update(symbols)
                return {}
            half = len(symbols) // 2
            return await self._of(client, symbols[:half]) | await self._of(client, symbols[half:])
        raise refusal(self._url, response)


def ticker_of(entry: dict[str, Any]) -> DayTicker | None:
    """Return a symbol's ticker, or None where there were no trades in the time, or it is none."""
    try:
        first, last = float(entry["openPrice"]), float(entry["lastPrice"])
        opened, closed = entry["openTime"], entry["closeTime"]
    except (KeyError, TypeError, ValueError):
        return None
    good = all(math.isfinite(price) and price > 0 for price in (first, last))
    good = good and all(type(time) is int and 0 < time < 2**53 for time in (opened, closed))
    return DayTicker(first, last, opened, closed) if good else None


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
