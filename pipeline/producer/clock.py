"""Asks the exchange for its time, beside the trades, never before them: a few times at first, then once a minute."""

import asyncio
import logging
import time
from typing import Any

import httpx

from pipeline.events import ClockOffset
from pipeline.feed.clock import Offset, Sample
from pipeline.feed.rest import RestError, is_loopback, refusal

FIRST_SAMPLES = 5
FIRST_EVERY = 0.25
EVERY = 60.0
TIMEOUT = 5.0

log = logging.getLogger("pipeline.producer")


def precise_ms() -> float:
    """Return the wall clock in milliseconds since the epoch, with fractions."""
    return time.time_ns() / 1_000_000


class ExchangeClock:
    """Measures the offset for as long as ``run`` runs."""

    def __init__(self, url: str) -> None:
        """``url`` is the exchange's REST interface without a path."""
        self._url = url.rstrip("/")
        self._offset = Offset()

    @property
    def offset(self) -> ClockOffset | None:
        """The estimate; None while it is unknown."""
        return self._offset.best(precise_ms())

    async def run(self) -> None:
        """Measure until cancelled. An exchange that does not answer is asked again when it may be."""
        try:
            # In a thread: reading the certificates takes tens of milliseconds, in which no trade would be received.
            client = await asyncio.to_thread(httpx.AsyncClient, timeout=TIMEOUT, trust_env=not is_loopback(self._url))
            async with client:
                await self._measure(client)
        except Exception:
            # Nobody awaits this before the end, and the trades go on without it.
            log.exception("the exchange's clock is not measured any more")

    async def _measure(self, client: httpx.AsyncClient) -> None:
        taken, said = 0, ""
        while True:
            try:
                self._offset.add(await ask(client, self._url))
            except RestError as error:
                if str(error) != said:
                    said = str(error)
                    log.info("the exchange does not tell its time: %s", said)
                await asyncio.sleep(error.retry_after)
                continue
            taken, said = taken + 1, ""
            await asyncio.sleep(FIRST_EVERY if taken < FIRST_SAMPLES else EVERY)


async def ask(client: httpx.AsyncClient, url: str) -> Sample:
    """Ask for the exchange's time once.

    Raises:
        RestError: no answer, another one than the time, or a limit was reached; ``retry_after`` says when to ask again.
    """
    times = {"sent": precise_ms()}

    async def trace(name: str, _: dict[str, Any]) -> None:
        # A new connection has to be made first, which takes as long as several answers: that is not the round trip.
        if name.endswith("send_request_headers.started"):
            times["sent"] = precise_ms()
        elif name.endswith("receive_response_headers.complete"):
            times["received"] = precise_ms()

    try:
        response = await client.get(f"{url}/api/v3/time", extensions={"trace": trace})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RestError(f"{url}: {str(error) or type(error).__name__}") from error
    received = times.get("received", precise_ms())
    try:
        answer = response.json() if response.is_success else None
    except ValueError:
        answer = None
    server = answer.get("serverTime") if isinstance(answer, dict) else None
    if type(server) is not int or not 0 < server < 2**53:
        raise refusal(url, response)
    return Sample(times["sent"], received, server)
