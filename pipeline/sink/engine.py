"""The sink as any engine that fills the store is shown. Pure."""

from pipeline.events import SinkStats
from pipeline.inventory import EngineSeen, TaskView

NAME = "built-in"


def seen(stats: SinkStats) -> EngineSeen:
    """Return what a report of the sink says. A sink that waits is no failure: its offsets wait too."""
    state = "running" if stats.waiting is None else "waiting"
    facts = {"dead letters": f"{stats.dead_letters:,}"}
    if stats.latency is not None:
        facts["an insert takes"] = f"p50 {stats.latency.p50:.0f} ms, p99 {stats.latency.p99:.0f} ms"
    return EngineSeen(
        time=stats.time,
        name="sink",
        engine=NAME,
        state=state,
        tasks=tuple(TaskView(table, state, "rows inserted", rows) for table, rows in stats.inserted.items()),
        records=sum(stats.inserted.values()) + stats.dead_letters,
        lag=stats.lag,
        error=stats.waiting,
        facts=facts,
    )
