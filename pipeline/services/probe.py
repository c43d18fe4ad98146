"""Readiness probes for servers on this machine. A probe answers None when the server works, else why not yet."""

import asyncio
import ssl

import httpx

from pipeline.services.service import Probe
from pipeline.text import clean

TIMEOUT = 2.0
"""Seconds a probe may take: it is asked again anyway."""


def tcp(host: str, port: int) -> Probe:
    """Ready when a TCP connection is accepted."""

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(TIMEOUT):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            return f"{host}:{port}: no answer within {TIMEOUT:g} s"
        except OSError as error:
            return f"{host}:{port}: {error.strerror or error}"
        writer.close()
        return None

    return probe


def http(url: str) -> Probe:
    """Ready when a GET of an ``http://`` URL is answered with a 2xx status."""
    # Without a context of its own each client loads the system's certificates, which costs tens of milliseconds.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def probe() -> str | None:
        try:
            # No proxy from the environment: these servers are on loopback.
            async with httpx.AsyncClient(verify=context, trust_env=False, timeout=TIMEOUT) as client:
                response = await client.get(url)
        except httpx.HTTPError as error:
            return clean(f"{url}: {error or type(error).__name__}")
        if response.is_success:
            return None
        return clean(f"{url}: {response.status_code} {response.text.strip()}", limit=200)

    return probe
