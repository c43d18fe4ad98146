"""The connector's configuration, and a Connect cluster's connectors as any engine that fills the store. Pure.

A connector says RUNNING when one of its tasks is dead, and a dead task never starts again by itself: so the worst of
the tasks is the state, and the cause is what stands last in the task's trace.
"""

import json
import re
from collections.abc import Mapping
from string import Template
from typing import Any

from pipeline.inventory import EngineSeen, TaskView
from pipeline.text import clean

NAME = "cryptostreamx-clickhouse"
MASK = "••••••"
_SECRET = re.compile(r"password|secret|token|credential|basic\.auth\.user\.info|jaas", re.IGNORECASE)
_CAUSE = "Caused by: "
_ORDER = ("FAILED", "UNASSIGNED", "RESTARTING", "STOPPED", "PAUSED", "RUNNING")
"""States, the worst first."""


def filled(template: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the configuration of a template with its ``${…}`` filled in; an empty value leaves its key out.

    Raises:
        KeyError: the template asks for a value that is not given.
        ValueError: it is no JSON object.
    """
    config = json.loads(template)
    made = {str(key): Template(str(value)).substitute(values) for key, value in config.items()}
    return {key: value for key, value in made.items() if value}


def masked(config: Mapping[str, str]) -> dict[str, str]:
    """Return a configuration fit to be shown."""
    return {key: MASK if _SECRET.search(key) else value for key, value in config.items()}


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return in words how a connector's configuration differs from what is wanted. Secrets are not in the words."""
    shown_wanted, shown_found = masked(wanted), masked(found)
    names = [*wanted, *(name for name in found if name not in wanted and name != "name")]
    return [
        f"{name}: wanted {shown_wanted.get(name, 'nothing')}, it has {clean(shown_found.get(name, 'nothing'))}"
        for name in names
        if wanted.get(name) != found.get(name)
    ]


def root_cause(trace: str) -> str:
    """Return the last cause of a Java stack trace: what went wrong in the first place."""
    lines = trace.splitlines() or [""]
    causes = [line.removeprefix(_CAUSE) for line in lines if line.startswith(_CAUSE)]
    return clean(causes[-1] if causes else lines[0])


def seen(connectors: Mapping[str, Mapping[str, Any]], now: int) -> EngineSeen:
    """Return how all connectors of a cluster do; ``connectors`` is the answer of ``ConnectClient.connectors``."""
    tasks: list[TaskView] = []
    states: list[str] = []
    error: str | None = None
    for name, both in sorted(connectors.items()):
        status = both.get("status", {})
        parts = [("connector", status.get("connector", {}))]
        parts += [(f"task {task.get('id')}", task) for task in status.get("tasks", [])]
        for part, what in parts:
            state = str(what.get("state", "UNASSIGNED"))
            cause = root_cause(str(what["trace"])) if what.get("trace") else ""
            states.append(state)
            if state == "FAILED":
                error = error or f"{name} {part}: {cause or 'failed, and Connect does not say why'}"
            worker = what.get("worker_id", "")
            tasks.append(TaskView(clean(f"{name} {part}"), state.lower(), cause or clean(f"on {worker}"), None))
    worst = next((state for state in _ORDER if state in states), None)
    return EngineSeen(
        time=now,
        name="sink",
        engine="Kafka Connect",
        state=worst.lower() if worst else "no connector",
        tasks=tuple(tasks),
        error=error,
    )
