"""Services, brokers and the stages' figures."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.geometry import Size

from cryptostreamx_tui.details import Detail, service_detail
from cryptostreamx_tui.format import UNKNOWN, Line, Span, count, duration, fit, millis, safe, size
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.stages import SIGNS, stages
from cryptostreamx_tui.state import STATS_STALE_MS, State
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.rows import Rows
from cryptostreamx_tui.widgets.view import Lines
from pipeline.events import ServiceChanged
from pipeline.model import ServiceState

TONES = {
    ServiceState.READY: "good",
    ServiceState.FAILED: "bad",
    ServiceState.BACKING_OFF: "bad",
    ServiceState.STARTING: "warn",
    ServiceState.STOPPING: "warn",
    ServiceState.WAITING: "dim",
    ServiceState.STOPPED: "dim",
}


def state_words(service: ServiceChanged, now: int) -> Span:
    """Return a service's state with its sign; a coming restart is counted down."""
    tone = TONES[service.state]
    words = str(service.state).upper() if service.state is ServiceState.FAILED else str(service.state)
    if service.state is ServiceState.BACKING_OFF and service.retry_at is not None:
        words = f"again in {duration(service.retry_at - now)}"
    return Span(f"{SIGNS[tone]} {words}", tone)


class ServiceRows(Rows[ServiceChanged]):
    """One line a supervised process."""

    topics: ClassVar[tuple[str, ...]] = ("services",)
    ages: ClassVar[bool] = True
    _height_for: int = 0

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
            ),
            empty="no service has been started yet",
            id="service-rows",
        )

    def total(self) -> int:
        """Return the number of services."""
        return len(self.state.services)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """As high as there are services, and the header."""
        self._height_for = self.total()
        return self._height_for + 1

    def redraw(self) -> None:
        """Draw anew; make room where a service came."""
        self.refresh(layout=self.total() != self._height_for)

    def item(self, index: int) -> ServiceChanged:
        """Return a service."""
        return list(self.state.services.values())[index]

    def detail(self, item: ServiceChanged) -> Detail:
        """Return everything known of a service."""
        return service_detail(item, self.host.now())


class Figures(Page):
    """Brokers, and the figures behind the stages."""

    topics: ClassVar[tuple[str, ...]] = ("cluster", "stats", "services")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the page."""
        state, now = self.state, self.host.now()
        lines: list[Line] = [_cut(stage.line(10), width) for stage in stages(state, now)]
        lines.extend(_brokers(state, now))
        lines.extend(_processes(state))
        return lines


def _cut(line: Line, width: int) -> Line:
    *head, last = line
    used = sum(len(span.text) for span in head)
    return [*head, Span(fit(last.text, max(0, width - used)), last.tone)]


def _brokers(state: State, now: int) -> list[Line]:
    seen = state.cluster
    if seen is None:
        return [[Span(" brokers    –", "dim")]]
    old = (state.stats_age("cluster", now) or 0) > STATS_STALE_MS
    lines: list[Line] = [[]]
    for broker in seen.brokers:
        up = broker.reachable and not old
        words = f"leads {broker.leaders}{' · controller' if broker.is_controller else ''}"
        lines.append(
            [
                Span(f" broker {broker.id}   ", "dim"),
                Span("● reachable  " if up else "◌ STALE      " if old else "✗ unreachable ", "good" if up else "bad"),
                Span(f"{safe(broker.host, 40)}:{broker.port} · {words}", "" if up else "dim"),
            ]
        )
    return lines


def _processes(state: State) -> list[Line]:
    lines: list[Line] = [[]]
    producer, windows, sink = state.producer, state.windowing, state.sink

    def fact(name: str, words: list[str]) -> None:
        lines.append([Span(f" {name:<10} ", "dim"), Span(" · ".join(words))])

    if producer is not None:
        fact("producer", [f"{count(producer.frames)} frames", f"{count(producer.acknowledged)} acknowledged"])
        fact(
            "",
            [
                f"{count(producer.in_flight)} in flight",
                f"queue {count(producer.queue)}",
                f"blocked {millis(producer.blocked_ms)}",
            ],
        )
        if producer.latency is not None:
            fact("", [f"acknowledged after p50 {millis(producer.latency.p50)}", f"p99 {millis(producer.latency.p99)}"])
        for reason, number in producer.refused.items():
            fact("refused", [f"{safe(reason)} {number:,}"])
    if windows is not None:
        fact("windows", [f"{count(windows.processed)} processed", f"{count(windows.duplicates)} duplicates"])
        for name, by_symbol in windows.late.items():
            if by_symbol:
                late = ", ".join(f"{safe(symbol)} {number:,}" for symbol, number in by_symbol.items())
                fact("late", [f"{safe(name)}: {late}"])
    if sink is not None:
        fact("sink", [f"{safe(table)} {number:,} rows" for table, number in sink.inserted.items()] or ["no rows yet"])
        if sink.waiting:
            fact("", [f"waiting: {safe(sink.waiting)}"])
    return lines


class HealthPane(Pane):
    """Services above, figures below."""

    key: ClassVar[str] = "health"

    def content(self) -> ComposeResult:
        """Both parts."""
        yield ServiceRows()
        yield Figures(id="figures")

    def action_restart(self) -> None:
        """Restart the selected service, after asking."""
        service = self.query_one(ServiceRows).selected
        if service is not None:
            self.host.restart(service.name)

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many services are ready."""
        ready = sum(service.state is ServiceState.READY for service in state.services.values())
        total = len(state.services)
        return [Span(f"{ready} of {total} ready" if total else "", "dim" if ready == total else "warn")]


class Strip(Lines):
    """One line a stage, for layouts where the health pane has no room."""

    topics: ClassVar[tuple[str, ...]] = ("cluster", "stats", "services", "phase")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - five lines
        """Make the lines."""
        return [_cut(stage.line(10), width) for stage in stages(self.state, self.host.now())]
