"""Finds and ends the processes that an instance left behind. They are known by marks in their environment.

Every supervised process carries the marks, and hands them down to what it starts. The run id is the same for every
run in one home, so that a start finds what any earlier run left; the instance is one single run of the application,
so that the guard of a dead one never touches the processes of its successor.

Imports little: the guard stays in memory as long as the application runs.
"""

import os
import time
from collections.abc import Iterable
from typing import NamedTuple

import psutil

RUN_ID = "CRYPTOSTREAMX_RUN_ID"
INSTANCE = "CRYPTOSTREAMX_INSTANCE"
SERVICE = "CRYPTOSTREAMX_SERVICE"
STOP_RANK = "CRYPTOSTREAMX_STOP_RANK"

_RANK_PATIENCE = 6.0
"""Seconds between SIGTERM and SIGKILL for one rank, while the whole time allows it."""
_AFTER_KILL = 2.0
_AGAIN = 0.1
"""Seconds between two looks: a process may be found only after it has replaced its parent's program by its own."""
_POLL = 0.02


class Leftover(NamedTuple):
    """A process of the run."""

    process: psutil.Process
    service: str
    rank: int


def marks(run_id: str, instance: str, service: str, rank: int) -> dict[str, str]:
    """Return the environment variables that a supervised process carries."""
    return {RUN_ID: run_id, INSTANCE: instance, SERVICE: service, STOP_RANK: str(rank)}


def find_leftovers(run_id: str, instance: str | None = None) -> list[Leftover]:
    """Return the living processes of a run, but for this process and those that it runs under."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in own:
            continue
        try:
            environment = process.environ()
        except (psutil.Error, OSError):  # gone, a zombie, or somebody else's
            continue
        if environment.get(RUN_ID) == run_id and instance in (None, environment.get(INSTANCE)):
            rank = environment.get(STOP_RANK, "")
            rank_number = int(rank) if rank.isascii() and rank.isdecimal() else 0
            found.append(Leftover(process, environment.get(SERVICE, "?"), rank_number))
    return found


def end_leftovers(run_id: str, instance: str | None = None, *, patience: float = 20.0, looks: int = 2) -> list[str]:
    """End the processes of a run, in the order of their stop ranks, and return the names of their services.

    SIGTERM first, SIGKILL to what does not heed it; looks again until ``looks`` in a row have found nothing: after a
    sudden death one more process may come to light. Blocks, for about ``patience`` seconds at most.
    """
    deadline = time.monotonic() + patience
    ended: dict[str, None] = {}
    nothing_found = 0
    while nothing_found < looks and time.monotonic() < deadline + _AFTER_KILL:
        found = find_leftovers(run_id, instance)
        for rank in sorted({leftover.rank for leftover in found}, reverse=True):
            of_rank = [leftover for leftover in found if leftover.rank == rank]
            ended.update((leftover.service, None) for leftover in of_rank)
            _end([leftover.process for leftover in of_rank], min(_RANK_PATIENCE, deadline - time.monotonic()))
        if not found:
            nothing_found += 1
            if nothing_found < looks:
                time.sleep(_AGAIN)
        else:
            nothing_found = 0
    return list(ended)


def _end(processes: list[psutil.Process], patience: float) -> None:
    if patience > 0:
        for process in processes:
            _signal(process, hard=False)
        processes = _still_there(processes, patience)
    for process in processes:
        _signal(process, hard=True)
    _still_there(processes, _AFTER_KILL)


def _signal(process: psutil.Process, *, hard: bool) -> None:
    try:
        if hard:
            process.kill()
        else:
            process.terminate()
    except psutil.Error:
        return  # gone; or not ours to end, and then it is seen again at the next look, until the time is over


def _still_there(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait until the processes are gone (a zombie that nobody reaps counts as gone); return those that are not."""
    deadline = time.monotonic() + timeout
    remaining = list(processes)
    while remaining := [process for process in remaining if _lives(process)]:
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL)
    return remaining


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
