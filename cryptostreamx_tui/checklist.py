"""The start-up checklist as lines: every download, service, topic, schema and DDL statement with its result. Pure."""

from typing import NamedTuple

from cryptostreamx_tui.format import Line, Span, duration, fit, safe, wrap
from cryptostreamx_tui.state import State
from pipeline.events import StepState
from pipeline.model import ServiceState

GROUPS = {
    "downloads": "Downloads",
    "services": "Services",
    "topics": "Topics",
    "schemas": "Schemas",
    "clickhouse": "ClickHouse tables",
}
"""Group of a step → its heading, in this order; the supervised processes are a group of their own."""

SIGNS = {
    StepState.WAITING: ("·", "dim", "waiting"),
    StepState.RUNNING: ("…", "warn", "running"),
    StepState.DONE: ("✓", "good", "done"),
    StepState.EXISTS: ("✓", "good", "exists"),
    StepState.DIFFERENT: ("≠", "warn", "different"),
    StepState.FAILED: ("✗", "bad", "FAILED"),
}
SERVICE_STEPS = {
    ServiceState.WAITING: StepState.WAITING,
    ServiceState.STARTING: StepState.RUNNING,
    ServiceState.READY: StepState.DONE,
    ServiceState.BACKING_OFF: StepState.RUNNING,
    ServiceState.FAILED: StepState.FAILED,
    ServiceState.STOPPING: StepState.RUNNING,
    ServiceState.STOPPED: StepState.WAITING,
}
NAME_WIDTH = 26


class Item(NamedTuple):
    """One line of the checklist."""

    name: str
    state: StepState
    word: str
    took: int | None
    detail: str

    @property
    def over(self) -> bool:
        """Whether it is done and needs nobody."""
        return self.state in (StepState.DONE, StepState.EXISTS)


def items(state: State, now: int) -> dict[str, list[Item]]:
    """Return the checklist by group, in the order of ``GROUPS``; groups that are not known come last."""
    found: dict[str, list[Item]] = {group: [] for group in GROUPS}
    for (group, name), step in state.steps.items():
        took = None if step.began is None else max(0, (step.ended or now) - step.began)
        event = step.event
        found.setdefault(group, []).append(Item(name, event.state, SIGNS[event.state][2], took, event.detail))
    for service in state.services.values():
        as_step = SERVICE_STEPS[service.state]
        running = as_step is StepState.RUNNING
        word = "FAILED" if as_step is StepState.FAILED else str(service.state)
        detail = service.address or ""
        if service.state in (ServiceState.FAILED, ServiceState.BACKING_OFF):
            detail = service.last_error or "no reason given"
            if service.log_path:
                detail += f" (log: {service.log_path})"
        found["services"].append(Item(service.name, as_step, word, now - service.since if running else None, detail))
    return {group: entries for group, entries in found.items() if entries}


def progress(state: State, now: int) -> tuple[int, int]:
    """Return how many lines are done, of how many known so far."""
    every = [item for group in items(state, now).values() for item in group]
    return sum(item.over or item.state is StepState.DIFFERENT for item in every), len(every)


def checklist(state: State, now: int, width: int, height: int) -> list[Line]:
    """Return the checklist. Where it is higher than ``height``, groups that are done become one line each."""
    groups = items(state, now)
    full = [_group(group, entries, width) for group, entries in groups.items()]
    lines = [line for part in full for line in part]
    if len(lines) <= height:
        return lines
    short = [
        part[:1] if all(item.over for item in entries) else part
        for part, entries in zip(full, groups.values(), strict=True)
    ]
    lines = [line for part in short for line in part]
    if len(lines) <= height:
        return lines
    # Still too high: in groups under way, what is done is counted in the heading already.
    tight = [
        [part[0], *(line for item in entries if not item.over for line in _item(item, width))]
        for part, entries in zip(full, groups.values(), strict=True)
    ]
    return [line for part in tight for line in part]


def _group(group: str, entries: list[Item], width: int) -> list[Line]:
    done = sum(item.over for item in entries)
    failed = sum(item.state is StepState.FAILED for item in entries)
    sign, tone = ("✗", "bad") if failed else ("✓", "good") if done == len(entries) else ("…", "warn")
    head: Line = [
        Span(f" {sign} ", tone),
        Span(f"{safe(GROUPS.get(group, group), 40):<{NAME_WIDTH + 1}}", "head"),
        Span(f"{done} of {len(entries)}", "dim"),
    ]
    if failed:
        head.append(Span(f"  {failed} failed", "bad"))
    return [head, *(line for item in entries for line in _item(item, width))]


def _item(item: Item, width: int) -> list[Line]:
    sign, tone, _ = SIGNS[item.state]
    took = "" if item.took is None else f"{item.took / 1000:.1f} s" if item.took < 99_950 else duration(item.took)
    line: Line = [
        Span(f"   {sign} ", tone),
        Span(fit(item.name, NAME_WIDTH - 1) + " ", "dim" if item.state is StepState.WAITING else ""),
        Span(f"{item.word:<11} ", tone),
        Span(f"{took:>7}  ", "dim"),
    ]
    used = 5 + NAME_WIDTH + 12 + 9
    detail = safe(item.detail, 2000)
    if item.state in (StepState.FAILED, StepState.DIFFERENT) and len(detail) > width - used - 1:
        return [line, *([Span("       " + part, tone)] for part in wrap(detail, max(20, width - 9)))]
    line.append(Span(fit(detail, max(0, width - used)), "bad" if item.state is StepState.FAILED else "dim"))
    return [line]
