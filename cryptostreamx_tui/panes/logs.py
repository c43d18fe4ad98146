"""Warnings and errors of all services, newest on top; the producer's refusals among them."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.details import Detail, log_detail
from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import Line, Span, hms
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.state import LogEntry, State
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.rows import Stream

LEVELS = {"WARNING": ("WARN", "warn"), "ERROR": ("ERROR", "bad"), "CRITICAL": ("FATAL", "bad")}
SEVERITY = {"WARNING": 0, "ERROR": 1, "CRITICAL": 2}
"""A level that is none of these counts as the least."""
FROM = ("", "ERROR", "CRITICAL")
"""From which level on: everything that rises, errors, only what ended a service."""
WORDS = {"": "all levels", "ERROR": "errors and worse", "CRITICAL": "only what ended a service"}
HEADER = ("time", "level", "service", "reason", "symbol", "message")


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
    filter_hint: ClassVar[str] = "words of the message, the reason, the service or the symbol"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._level = ""
        self._words: tuple[str, ...] = ()

    def content(self) -> ComposeResult:
        """The lines."""
        yield LogRows(self.app.state)  # type: ignore[attr-defined]

    @property
    def entries(self) -> LogRows:
        """The list."""
        return self.query_one(LogRows)

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many lines there were, and what is left out."""
        line = self.held() or [Span(f"{state.log.end:,} so far" if state.log.end else "", "dim")]
        if self._level or self._words:
            level = f" · {WORDS[self._level]}" if self._level else ""
            line = [*line, Span(f" · {self.entries.total():,} shown{level}", "accent")]
        return line

    def apply_filter(self, text: str) -> str | None:
        """Show lines that hold every word; the level stays as it is."""
        self._words = tuple(text.casefold().split())
        self._narrow()
        return None

    def action_level(self) -> None:
        """Show lines from the next level on, or all again; the words stay as they are."""
        self._level = FROM[(FROM.index(self._level) + 1) % len(FROM)]
        self._narrow()
        self.host.say(WORDS[self._level])

    def _narrow(self) -> None:
        least, words = SEVERITY.get(self._level, 0), self._words

        def matches(entry: LogEntry) -> bool:
            if SEVERITY.get(entry.level, 0) < least:
                return False
            text = f"{entry.message}\n{entry.reason}\n{entry.service}\n{entry.symbol}\n{entry.level}".casefold()
            return all(word in text for word in words)

        self.entries.only = matches if self._level or words else None
        self.entries.empty = "no line matches" if self._level or words else "no warnings, no errors"
        self.host.touch()

    def export(self) -> Export | None:
        """Return what is listed, newest first."""
        rows = self.entries
        listed = [rows.item(index) for index in range(rows.total())]
        if not listed:
            return None
        return Export("log", HEADER, [(e.time, e.level, e.service, e.reason, e.symbol, e.message) for e in listed])
