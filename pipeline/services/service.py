"""What a supervised process is: its command, its environment, how to know that it works, in which order it stops.

A specification only; nothing here starts anything. ``jvm.py``, ``python.py`` and their neighbours write them,
``supervisor.py`` runs them.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.events import ChildEvent
from pipeline.services.state import RestartPolicy

STOP_INVENTORY = 60
"""It only looks at the others: it would only complain of their end."""
STOP_PRODUCER = 50
"""Stop ranks: the highest stops first, so that nobody flushes into a server that is gone already."""
STOP_WINDOWS = 40
STOP_SINK = 40
STOP_EXCHANGE = 30
STOP_CLICKHOUSE = 20
STOP_REGISTRY = 20
STOP_KAFKA = 10
STOP_ZOOKEEPER = 0

Probe = Callable[[], Awaitable[str | None]]
"""Answers whether a service works: None when it does, else the reason why not yet. See ``probe.py``."""

Stalled = Callable[[ChildEvent, ChildEvent], bool]
"""Compares a child's previous statistics with its present ones: True = no progress though there is work to do."""

_BASE = frozenset(("PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR"))


@dataclass(frozen=True, slots=True)
class Service:
    """What to run and how to know that it works. Durations are in seconds."""

    name: str
    command: tuple[str, ...]
    log_path: Path
    """Standard error is appended here, and standard output unless it speaks the protocol. Rotated: 10 MiB, 5 files."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to ``base_environment()``. Not in the repr: this is how secrets reach a child."""
    depends_on: tuple[str, ...] = ()
    """Services that must be READY before this one starts first; one that dies later does not stop it."""
    probe: Probe | None = None
    """What tells that it is ready. None: the ``Ready`` event if it speaks the protocol, else that it was started."""
    speaks_protocol: bool = False
    """Standard output is ``ChildEvent`` JSON lines, standard input takes ``Command`` lines (``pipeline.child``)."""
    start_timeout: float = 60.0
    """Not ready after this is a failed start: killed, counted."""
    stop_timeout: float = 15.0
    """From SIGTERM to SIGKILL."""
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    watchdog: float | None = None
    """For one that speaks the protocol: killed and started again after so long, once READY, without a statistics
    event, or while ``stalled`` held."""
    stalled: Stalled | None = None
    address: str | None = None
    """host:port it serves, for the screen."""
    stop_rank: int = 0
    """Higher stops first; ranks stop one after another, the members of a rank together."""


def base_environment() -> dict[str, str]:
    """Return what every child gets of this process's environment: no setting or secret that is not meant for it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _BASE or name.startswith("LC_") or name.lower().endswith("_proxy")
    }
