"""Binance's REST interface, as far as the feed needs it: which symbols exist (``GET /api/v3/exchangeInfo``).

A subscription to an unknown symbol "succeeds" and stays silent, so symbols are looked up first.
"""

import asyncio
import json
from collections.abc import Sequence

import httpx

from pipeline.text import clean

BAD_SYMBOL = (-1121, -1100)
"""Unknown symbol; illegal characters in it."""
_WAIT = 60.0


class RestError(RuntimeError):
    """REST did not answer the question; ``retry_after`` tells in how many seconds one may ask again."""

    def __init__(self, message: str, retry_after: float = _WAIT) -> None:
        super().__init__(clean(message))
        self.retry_after = retry_after


class ExchangeInfo:
    """Looks up symbols. One request for all; only where one of them is unknown, more, by halves."""

    def __init__(self, url: str, timeout: float = 3.0) -> None:
        """``url`` is the REST interface without a path; ``timeout`` in seconds for each step of a request."""
        self._url = url.rstrip("/")
        self._timeout = timeout

    async def known(self, symbols: Sequence[str]) -> set[str]:
        """Return those of the symbols that the exchange lists.

        Raises:
            RestError: no answer, or a limit was reached (429, 418): ``retry_after`` is the exchange's own then.
        """
        if not symbols:
            return set()
        # In a thread: reading the certificates takes tens of milliseconds, in which no trade would be received.
        client = await asyncio.to_thread(httpx.AsyncClient, timeout=self._timeout, trust_env=not is_loopback(self._url))
        async with client:
            return await self._known(client, list(symbols))

    async def _known(self, client: httpx.AsyncClient, symbols: list[str]) -> set[str]:
        wanted = json.dumps(symbols, ensure_ascii=False, separators=(",", ":"))
        try:
            response = await client.get(f"{self._url}/api/v3/exchangeInfo", params={"symbols": wanted})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RestError(f"{self._url}: {str(error) or type(error).__name__}") from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code == 400 and isinstance(answer, dict) and answer.get("code") in BAD_SYMBOL:
            if len(symbols) == 1:
                return set()
            half = len(symbols) // 2
            return await self._known(client, symbols[:half]) | await self._known(client, symbols[half:])
        if response.is_success and isinstance(answer, dict) and isinstance(answer.get("symbols"), list):
            listed = {entry.get("symbol") for entry in answer["symbols"] if isinstance(entry, dict)}
            return {symbol for symbol in symbols if symbol in listed}
        raise refusal(self._url, response)


def refusal(url: str, response: httpx.Response) -> RestError:
    """Return what to raise for an answer that is none; in the exchange's own words where it has any."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    said = answer.get("msg") if isinstance(answer, dict) else response.text[:200]
    return RestError(
        f"{url} answered HTTP {response.status_code}: {said or response.reason_phrase}", _retry_after(response)
    )


def _retry_after(response: httpx.Response) -> float:
    try:
        return max(1.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return _WAIT


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine: no proxy is asked for it then."""
    return httpx.URL(url).host in ("127.0.0.1", "::1", "localhost")
