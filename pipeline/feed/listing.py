"""Every symbol that the exchange lists, for whoever chooses one: ``GET /api/v3/exchangeInfo`` without a symbol.

It weighs 20 of 6,000 a minute and has some megabytes on Binance, so an answer is kept for some minutes.
"""

import asyncio
import time
from collections.abc import Callable

import httpx
import msgspec

from pipeline.feed.rest import RestError, is_loopback, refusal
from pipeline.settings import can_be_symbol

KEPT_S = 600.0
TIMEOUT_S = 10.0
_LIMITED = (429, 418)
"""A request limit was reached; the address is banned."""


class Listed(msgspec.Struct, frozen=True):
    """One symbol, in Binance's words."""

    symbol: str
    status: str
    """``TRADING``, ``HALT``, ``BREAK`` …: only the first has trades."""
    baseAsset: str = ""  # noqa: N815 - Binance's name
    quoteAsset: str = ""  # noqa: N815


class _Answer(msgspec.Struct):
    symbols: list[Listed]


_decode = msgspec.json.Decoder(_Answer).decode


class Listing:
    """Asks for the list, once for all who wait for it."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """``url`` is the REST interface without a path; ``clock`` in seconds."""
        self._url = url.rstrip("/")
        self._clock = clock
        self._kept: tuple[Listed, ...] = ()
        self._kept_until = -1.0
        self._refused: RestError | None = None
        self._refused_until = -1.0
        self._asking = asyncio.Lock()

    async def all(self) -> tuple[Listed, ...]:
        """Return the list, by name.

        Raises:
            RestError: no answer, or a limit was reached; within the time that the exchange then gave, it is not asked.
        """
        async with self._asking:
            now = self._clock()
            if now < self._kept_until:
                return self._kept
            if self._refused is not None and now < self._refused_until:
                raise RestError(str(self._refused), self._refused_until - now)
            self._kept = await self._ask()
            self._kept_until = self._clock() + KEPT_S
            return self._kept

    async def _ask(self) -> tuple[Listed, ...]:
        # In a thread, both: reading the certificates and decoding megabytes take tens of milliseconds.
        client = await asyncio.to_thread(httpx.AsyncClient, timeout=TIMEOUT_S, trust_env=not is_loopback(self._url))
        async with client:
            try:
                response = await client.get(f"{self._url}/api/v3/exchangeInfo", params={"showPermissionSets": "false"})
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RestError(f"{self._url}: {str(error) or type(error).__name__}") from error
        try:
            answer = await asyncio.to_thread(_decode, response.content) if response.is_success else None
        except msgspec.DecodeError:
            answer = None
        if answer is None:
            refused = refusal(self._url, response)
            if response.status_code in _LIMITED:
                self._refused, self._refused_until = refused, self._clock() + refused.retry_after
            raise refused
        return tuple(sorted((one for one in answer.symbols if can_be_symbol(one.symbol)), key=lambda one: one.symbol))
