"""What makes the windows and what fills the store, whoever does it: state, tasks, lag, and why one waits."""

from typing import Any, ClassVar

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.format import UNKNOWN, Line, Span, count, date_time, duration, safe
from cryptostreamx_tui.panes.health.view import Listing
from cryptostreamx_tui.stages import state_words
from cryptostreamx_tui.state import STATS_STALE_MS
from cryptostreamx_tui.widgets.columns import Column
from pipeline.inventory import EngineSeen
from pipeline.model import ServiceState

STATES = {"running": ("●", "good"), "waiting": ("◆", "warn")}
"""State → sign and tone; every other one is bad."""


class EngineRows(Listing[EngineSeen]):
    """One line an engine."""

    key: ClassVar[str] = "engines"
    heading: ClassVar[str] = "Windows engine and sink"
    topics: ClassVar[tuple[str, ...]] = ("inventory", "services")
    fields: ClassVar[tuple[str, ...]] = ("engine", "kind", "task", "state", "records", "lag", "error", "reported_at")

    def __init__(self) -> None:
        super().__init__(
            (
                Column("", 8, lambda e: Span(e.name), fixed=True),
                Column("by", 12, lambda e: Span(e.engine, "dim")),
                Column("state", 14, self._state),
                Column("lag", 8, lambda e: Span(count(None if self._old(e) else e.lag)), right=True),
                Column("records", 11, lambda e: Span(count(e.records)), right=True),
                Column("tasks", 5, lambda e: Span(str(len(e.tasks))), right=True),
                Column("why", 12, lambda e: Span(e.error or "", "warn"), flexible=True),
            ),
            empty="neither has reported yet",
        )

    def _old(self, engine: EngineSeen) -> bool:
        return self.host.now() - engine.time > STATS_STALE_MS

    def _state(self, engine: EngineSeen) -> Span:
        now = self.host.now()
        service = self.state.services.get(engine.name)
        if service is not None and service.state is not ServiceState.READY:
            return state_words(service, now)  # what its last report said is over
        if self._old(engine):
            return Span(f"STALE {duration(now - engine.time)}", "warn")
        sign, tone = STATES.get(engine.state, ("✗", "bad"))
        return Span(f"{sign} {engine.state}", tone)

    def everything(self) -> list[EngineSeen]:
        """Return the windows engine, then the sink."""
        engines = self.state.inventory.engines
        return sorted(engines.values(), key=lambda engine: (engine.name != "windows", engine.name))

    def label(self, item: EngineSeen) -> str:
        """Return what it is for."""
        return item.name

    def service_of(self, item: EngineSeen) -> str:
        """Return the service of an engine that is run here."""
        return item.name

    def export_rows(self) -> list[tuple[Any, ...]]:
        """Return a row for each engine and each of its tasks."""
        rows: list[tuple[Any, ...]] = []
        for one in self.items():
            rows.append((one.engine, one.name, None, one.state, one.records, one.lag, one.error, one.time))
            rows += [(one.engine, one.name, t.name, t.state, t.records, None, t.error, one.time) for t in one.tasks]
        return rows

    def stale(self, now: int) -> bool:
        """Tell whether all of them are silent; one of them says it in its own line."""
        engines = self.state.inventory.engines.values()
        return bool(engines) and all(now - engine.time > STATS_STALE_MS for engine in engines)

    def seen_age(self, now: int) -> int | None:
        """Return the age of the newest report."""
        times = [engine.time for engine in self.state.inventory.engines.values()]
        return max(0, now - max(times)) if times else None

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """How many tasks they have."""
        tasks = [task for engine in self.state.inventory.engines.values() for task in engine.tasks]
        failed = sum(task.error is not None for task in tasks)
        line: Line = [Span(f"{len(tasks)} tasks", "dim")] if tasks else []
        return [*line, Span(f" · {failed} FAILED", "bad")] if failed else line

    def detail(self, item: EngineSeen) -> Detail:
        """Return an engine with its tasks."""
        return engine_detail(item)


def engine_detail(engine: EngineSeen) -> Detail:
    """Return everything an engine reports."""
    tasks = []
    for task in engine.tasks:
        words = [safe(task.state), f"{count(task.records)} {safe(task.detail)}".strip()]
        if task.error is not None:
            words.append(safe(task.error))
        tasks.append((safe(task.name, 80), " · ".join(words)))
    return Detail(
        f"{'Windows' if engine.name == 'windows' else 'Sink'} · {safe(engine.engine, 40)}",
        (
            Section(
                "Engine",
                (
                    ("state", safe(engine.state)),
                    ("reported", date_time(engine.time)),
                    ("records", count(engine.records)),
                    ("lag", count(engine.lag)),
                    ("why it waits", safe(engine.error or UNKNOWN)),
                    *((safe(name, 40), safe(words)) for name, words in engine.facts.items()),
                ),
            ),
            Section("Tasks", tuple(tasks), () if tasks else ("none yet",)),
        ),
    )
