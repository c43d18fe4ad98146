"""A small application that runs a supervisor with fake children, prints their pids and goes on until it is killed."""

import asyncio
import json
import sys
from pathlib import Path

from pipeline.events import ChildReport, LogLine, StackEvent
from pipeline.services.service import Service
from pipeline.services.supervisor import Supervisor

CHILD = str(Path(__file__).with_name("child.py"))


async def main(run_id: str, folder: Path) -> None:
    grandchildren: list[int] = []

    def emit(event: StackEvent) -> None:
        if isinstance(event, ChildReport) and isinstance(event.event, LogLine):
            grandchildren.append(int(event.event.message.split()[-1]))

    supervisor = Supervisor(emit, run_id)
    order = folder / "order"
    for name, rank, actions in (
        ("server", 0, (f"term:{order}", "ready", "sleep")),
        ("producer", 50, (f"term:{order}", "ready", "sleep")),
        ("parent", 20, ("grandchild:away", "grandchild", "ready", "sleep")),
    ):
        command = (sys.executable, "-I", "-S", CHILD, *actions)
        log = folder / f"{name}.log"
        supervisor.add(Service(name, command, log, speaks_protocol=True, stop_rank=rank))
    await supervisor.start()
    for view in supervisor.views():
        await supervisor.wait_ready(view.name)
    pids = [view.pid for view in supervisor.views()] + grandchildren
    print(json.dumps({"pids": pids, "guard": supervisor.guard_pid}), flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
