"""The supervised processes: state, uptime, memory, restarts, last error; opened, with the last lines of the log."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar

from cryptostreamx_tui.details import Detail, Section, service_detail
from cryptostreamx_tui.format import UNKNOWN, Line, Span, duration, safe, size
from cryptostreamx_tui.panes.health.view import Listing
from cryptostreamx_tui.stages import state_words
from cryptostreamx_tui.widgets.columns import Column
from pipeline.events import ServiceChanged
from pipeline.model import ServiceState
from pipeline.services.logfile import tail
from pipeline.text import clean


def last_lines(path: str | None) -> Section:
    """Return the end of a log file, or why it cannot be read. Blocks: it is for a thread."""
    if path is None:
        return Section("Log", text=("it has no log file",))
    try:
        lines = tail(Path(path))
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        return Section("Log", text=(f"cannot be read: {clean(str(error))}",))
    return Section(f"Log, its last {len(lines)} lines, newest first", text=tuple(reversed(lines)) or ("empty",))


class ServiceRows(Listing[ServiceChanged]):
    """One line a supervised process."""

    key: ClassVar[str] = "services"
    heading: ClassVar[str] = "Services"
    topics: ClassVar[tuple[str, ...]] = ("services",)
    fields: ClassVar[tuple[str, ...]] = (
        "service", "state", "since", "pid", "memory", "restarts", "address", "last_error", "log_path",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(
            (
                Column("service", 15, lambda s: Span(s.name), fixed=True),
                Column("state", 14, lambda s: state_words(s, self.host.now())),
                Column("for", 6, lambda s: Span(duration(self.host.now() - s.since), "dim"), right=True),
                Column("memory", 7, lambda s: Span(size(s.memory)), right=True),
                Column("pid", 7, lambda s: Span(UNKNOWN if s.pid is None else str(s.pid), "dim"), right=True),
                Column("restarts", 8, lambda s: Span(str(s.restarts), "warn" if s.restarts else "dim"), right=True),
                Column("last error", 12, lambda s: Span(s.last_error or "", "bad"), flexible=True),
                Column("log", 30, lambda s: Span(s.log_path or UNKNOWN, "dim"), flexible=True),
            ),
            empty="no service has been started yet",
        )

    def everything(self) -> list[ServiceChanged]:
        """Return all services in the order in which they were added."""
        return list(self.state.services.values())

    def label(self, item: ServiceChanged) -> str:
        """Return the service's name."""
        return item.name

    def service_of(self, item: ServiceChanged) -> str:
        """It is one."""
        return item.name

    def values(self, item: ServiceChanged) -> tuple[Any, ...]:
        """Return the exported values."""
        return (
            item.name,
            str(item.state),
            item.since,
            item.pid,
            item.memory,
            item.restarts,
            item.address,
            item.last_error,
            item.log_path,
        )

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """How many are ready, and how much memory all take."""
        services = self.state.services.values()
        known = [service.memory for service in services if service.memory is not None]
        ready = sum(service.state is ServiceState.READY for service in services)
        words = f"{ready} of {len(services)} ready · {size(sum(known) if known else None)}"
        return [Span(words if services else "", "dim" if ready == len(services) else "warn")]

    def detail(self, item: ServiceChanged) -> Detail:
        """Return everything known of a service, its log apart."""
        return service_detail(item, self.host.now())

    def action_open(self) -> None:
        """Open the selected service, once the end of its log was read in a thread."""
        if self.cursor is None:
            self.action_cursor(1)
        item = self.selected
        if item is not None:
            self.run_worker(self._open(item), group="open-service", exclusive=True)

    async def _open(self, item: ServiceChanged) -> None:
        log = await asyncio.to_thread(last_lines, item.log_path)
        detail = self.detail(self.state.services.get(item.name, item))
        self.post_message(self.Opened(Detail(safe(detail.title), (*detail.sections, log))))
