"""Which addresses a watcher is told, and how they go together with settings of its own. Pure."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from pipeline.attach.lines import Hello
from pipeline.settings import Settings

TOLD: Final = (
    "kafka_bootstrap_servers",
    "schema_registry_url",
    "clickhouse_url",
    "binance_ws_url",
    "binance_rest_url",
)


def bare(address: str) -> str:
    """Return an address without what may be secret in it: user and password, query, fragment."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def addresses_of(settings: Settings) -> dict[str, str]:
    """Return the addresses in settings, without secrets."""
    found = {name: getattr(settings, name) for name in TOLD}
    return {name: bare(address) for name, address in found.items() if address is not None}


def merged(own: Settings, hello: Hello) -> Settings:
    """Return a watcher's settings with the addresses, the feed and the symbols of the instance it watches.

    Where its own settings name the same server, its own address stays: there may be a password in it.
    """
    theirs = {
        name: address
        for name, address in hello.addresses.items()
        if name in TOLD and bare(getattr(own, name) or "") != address
    }
    return own.model_copy(update={**theirs, "feed": hello.feed_setting, "symbols": hello.wanted})
