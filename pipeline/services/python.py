"""Specifications of our own children: Python modules that speak the protocol of ``pipeline.child``."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from pipeline.home import Home
from pipeline.inventory import INVENTORY
from pipeline.services.service import (
    STOP_CLICKHOUSE,
    STOP_EXCHANGE,
    STOP_INVENTORY,
    STOP_PRODUCER,
    STOP_SINK,
    STOP_WINDOWS,
    Probe,
    Service,
    Stalled,
)
from pipeline.services.state import RestartPolicy

STOP_RANKS = {
    INVENTORY: STOP_INVENTORY,
    "producer": STOP_PRODUCER,
    "windows": STOP_WINDOWS,
    "sink": STOP_SINK,
    "exchange": STOP_EXCHANGE,
    "clickhouse": STOP_CLICKHOUSE,
}


class Options(TypedDict, total=False):
    """The fields of ``Service`` that a caller of ``python_service`` may choose."""

    depends_on: tuple[str, ...]
    probe: Probe | None
    start_timeout: float
    stop_timeout: float
    restart: RestartPolicy
    watchdog: float | None
    stalled: Stalled | None
    address: str | None
    stop_rank: int


def python_command(module: str, *args: str) -> tuple[str, ...]:
    """Return the command that runs a module of ours with the interpreter that runs this."""
    # -P: the folder that the user happens to stand in must not lend its modules to us.
    return (sys.executable, "-P", "-m", module, *args)


def python_environment() -> dict[str, str]:
    """Return what makes ``pipeline`` importable in a child, installed or not."""
    return {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def python_service(
    module: str,
    name: str,
    home: Home,
    environment: Mapping[str, str],
    *,
    args: tuple[str, ...] = (),
    **options: Unpack[Options],
) -> Service:
    """Return the service that runs ``python -m module``. Its stop rank follows from its name, unless it is given.

    Ready on its ``Ready`` event, unless a probe is given. ``environment`` holds ``Settings.environment()``.
    """
    options.setdefault("stop_rank", STOP_RANKS.get(name, 0))
    return Service(
        name=name,
        command=python_command(module, *args),
        log_path=home.logs / f"{name}.log",
        environment={**python_environment(), **environment},
        speaks_protocol=True,
        **options,
    )
