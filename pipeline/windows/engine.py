"""The windows process as any engine that makes windows is shown. Pure."""

from pipeline.events import WindowsStats
from pipeline.inventory import EngineSeen, TaskView

NAME = "Quix Streams"


def seen(stats: WindowsStats) -> EngineSeen:
    """Return what a report of the windows process says."""
    tasks = []
    for size, emitted in stats.closed.items():
        late = sum(stats.late.get(size, {}).values())
        tasks.append(TaskView(f"windows of {size}", "running", f"emitted · {late:,} late trades", emitted))
    return EngineSeen(
        time=stats.time,
        name="windows",
        engine=NAME,
        state="running",
        tasks=tuple(tasks),
        records=stats.processed,
        lag=stats.lag,
        facts={"duplicates": f"{stats.duplicates:,}", "poison records": f"{stats.poison:,}"},
    )
