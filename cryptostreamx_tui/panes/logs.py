"""Warnings and errors of all services, newest on top; the producer's refusals among them."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.details import Detail, log_detail
from cryptostreamx_tui.format import Line, Span, hms
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.state import LogEntry, State
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.rows import Stream

LEVELS = {"WARNING": ("WARN", "warn"), "ERROR": ("ERROR", "bad"), "CRITICAL": ("FATAL", "bad")}


class LogRows(Stream[LogEntry]):
    """One line a log line; ``enter`` shows it whole."""

    topics: ClassVar[tuple[str, ...]] = ("log",)

    def __init__(self, state: State) -> None:
        super().__init__(
            lambda: state.log,
            (
                Column("time", 8, lambda e: Span(hms(e.time), "dim"), fixed=True),
                Column("level", 5, lambda e: Span(*LEVELS.get(e.level, (e.level, "")))),
                Column("service", 9, lambda e: Span(e.service, "dim")),
                Column(
                    "message", 8, lambda e: Span(f"{e.reason}: {e.message}" if e.reason else e.message), flexible=True
                ),
            ),
            empty="no warnings, no errors",
            id="log-rows",
        )

    def detail(self, item: LogEntry) -> Detail:
        """Return a line whole, with the file it stands in."""
        service = self.state.services.get(item.service)
        return log_detail(item, service.log_path if service else None)


class LogPane(Pane):
    """The log."""

    key: ClassVar[str] = "log"

    def content(self) -> ComposeResult:
        """The lines."""
        yield LogRows(self.app.state)  # type: ignore[attr-defined]

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many lines there were."""
        return self.held() or [Span(f"{state.log.end:,} so far" if state.log.end else "", "dim")]
