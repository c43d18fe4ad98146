"""How much memory the supervised processes hold, each with what it started. Cheap enough for once a second."""

from collections.abc import Iterable

import psutil

_LOOK_FOR_CHILDREN = 10
"""Who descends from whom is asked only at every tenth reading: it means a look at every process of the machine."""


class MemoryMeter:
    """Reads resident sizes. Not for two threads at once; the readings may run in any one."""

    def __init__(self) -> None:
        self._trees: dict[int, list[psutil.Process]] = {}
        self._readings = 0

    def read(self, pids: Iterable[int]) -> dict[int, int]:
        """Return the resident bytes of each process and its descendants; a process that is gone is left out."""
        wanted = set(pids)
        if self._readings % _LOOK_FOR_CHILDREN == 0:
            self._trees = _trees(wanted)
        self._readings += 1
        for pid in wanted - self._trees.keys():  # started since
            self._trees[pid] = [psutil.Process(pid)] if psutil.pid_exists(pid) else []
        sizes = {pid: sum(_size(process) for process in self._trees[pid]) for pid in wanted}
        return {pid: size for pid, size in sizes.items() if size}


def _size(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # gone
        return 0


def _trees(roots: set[int]) -> dict[int, list[psutil.Process]]:
    children: dict[int, list[psutil.Process]] = {}
    trees: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        if process.pid in roots:
            trees[process.pid] = [process]
        try:
            children.setdefault(process.ppid(), []).append(process)
        except psutil.Error:  # gone
            continue
    for tree in trees.values():
        for process in tree:  # grows while it is walked
            tree.extend(children.get(process.pid, ()))
    return trees
