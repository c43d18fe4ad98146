"""What needs a person, with times: active, acknowledged and cleared alerts, the newest first."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.alerts import Alert
from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import Line, Span, count, date_time, duration, hms
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.columns import Column, NameColumn
from cryptostreamx_tui.widgets.rows import Rows

SIGNS = {"active": ("▲ active", "alarm"), "acknowledged": ("● acknowledged", "warn"), "cleared": ("✓ cleared", "dim")}
"""Status → what is shown, and its tone."""


def alert_detail(alert: Alert, now: int) -> Detail:
    """Return everything known of one alert."""
    return Detail(
        f"Alert {alert.number} · {alert.rule}",
        (
            Section("What", text=(alert.words,)),
            Section("What to do", text=(alert.advice,)),
            Section(
                "When",
                (
                    ("state", alert.status),
                    ("began", date_time(alert.first)),
                    ("raised", date_time(alert.raised)),
                    ("last found", date_time(alert.last)),
                    ("acknowledged", date_time(alert.acknowledged)),
                    ("cleared", date_time(alert.cleared)),
                    ("duration", duration(alert.lasts(now))),
                    ("times", count(alert.count)),
                ),
            ),
        ),
    )


class AlertRows(Rows[Alert]):
    """One line an alert. The cursor stays on its alert, and in its line, when a new one comes above it."""

    topics: ClassVar[tuple[str, ...]] = ("alerts",)
    ages: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(
            (
                Column("raised", 9, lambda a: Span(hms(a.raised) + "Z", "dim"), fixed=True),
                Column("state", 14, lambda a: Span(*SIGNS[a.status])),
                NameColumn("rule", 8, lambda a: Span(a.rule, "strong" if a.calls else "")),
                Column("what", 26, lambda a: Span(a.words, "" if a.active else "dim"), flexible=True),
                Column("times", 5, lambda a: Span(count(a.count), "dim"), right=True),
                Column("for", 6, lambda a: Span(duration(a.lasts(self.host.now())), "dim"), right=True),
            ),
            empty="nothing has needed anybody so far",
            id="alert-rows",
        )
        self.only = ""
        self._shown: list[Alert] = []
        self._shown_at = -1

    def shown(self) -> list[Alert]:
        """Return the alerts that match the filter."""
        book = self.host.alerts
        if self._shown_at != book.revision:
            self._shown_at = book.revision
            self._shown = [
                alert for alert in book.all() if self.only in f"{alert.status} {alert.rule} {alert.words}".lower()
            ]
        return self._shown

    def narrow(self, text: str) -> None:
        """Show only what has ``text`` in it."""
        self.only = text.lower()
        self._shown_at = -1
        self.cursor, self.top = None, 0
        self.refresh()

    def total(self) -> int:
        """Return the number of alerts."""
        return len(self.shown())

    def item(self, index: int) -> Alert:
        """Return one."""
        return self.shown()[index]

    def redraw(self) -> None:
        """Draw anew; the cursor goes with its alert."""
        before = self._shown
        here = before[self.cursor].number if self.cursor is not None and self.cursor < len(before) else None
        now = self.shown()
        if here is not None and now is not before and self.cursor is not None:
            at = next((index for index, alert in enumerate(now) if alert.number == here), self.cursor)
            self.top += at - self.cursor
            self.cursor = at
        self.refresh()

    def detail(self, item: Alert) -> Detail:
        """Return everything known of an alert."""
        return alert_detail(item, self.host.now())


class AlertsPane(Pane):
    """What needs a person, with times."""

    key: ClassVar[str] = "alerts"
    filter_hint: ClassVar[str] = "a word: active, acknowledged, cleared, lag, a service, a symbol …"

    def content(self) -> ComposeResult:
        """The list."""
        yield AlertRows()

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002 - the book has them
        """How many are active, and how many of these nobody has seen."""
        book = self.host.alerts
        active, calling = len(book.active), len(book.calling)
        if not active:
            return [Span(" none active", "good")]
        line = [Span(f" {active} active", "warn")]
        return [*line, Span(f", {calling} new", "alarm")] if calling else line

    def apply_filter(self, text: str) -> str | None:
        """Show only what has a word in it."""
        self.query_one(AlertRows).narrow(text)
        return None

    def export(self) -> Export | None:
        """Return the alerts that are listed, times in milliseconds since the epoch."""
        names = (
            "number",
            "rule",
            "subject",
            "words",
            "status",
            "first",
            "raised",
            "last",
            "count",
            "acknowledged",
            "cleared",
        )
        rows = [[getattr(alert, name) for name in names] for alert in self.query_one(AlertRows).shown()]
        return Export("alerts", names, rows) if rows else None

    def action_acknowledge(self) -> None:
        """Acknowledge the selected alert."""
        alert = self.query_one(AlertRows).selected
        self.host.acknowledge(alert.number if alert is not None else 0)
