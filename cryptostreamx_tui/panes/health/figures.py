"""The stages of the pipeline, and the figures behind them."""

from typing import ClassVar

from cryptostreamx_tui.format import Line, Span, count, fit, millis, safe
from cryptostreamx_tui.panes.health.view import SeenPage
from cryptostreamx_tui.stages import stages
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.view import Lines


class Figures(SeenPage):
    """A line a stage, then what the producer counts."""

    key: ClassVar[str] = "stages"
    heading: ClassVar[str] = "Stages"
    topics: ClassVar[tuple[str, ...]] = ("cluster", "stats", "services")
    ages: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(id="figures")

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the page."""
        state, now = self.state, self.host.now()
        return [*(cut(stage.line(10), width) for stage in stages(state, now)), *_producer(state), *_late(state)]


def cut(line: Line, width: int) -> Line:
    """Return a line whose last span is cut to the width."""
    *head, last = line
    used = sum(len(span.text) for span in head)
    return [*head, Span(fit(last.text, max(0, width - used)), last.tone)]


def _fact(name: str, *words: str) -> Line:
    return [Span(f" {name:<10} ", "dim"), Span(" · ".join(words))]


def _producer(state: State) -> list[Line]:
    producer = state.producer
    if producer is None:
        return []
    lines = [
        _fact("producer", f"{count(producer.frames)} frames", f"{count(producer.acknowledged)} acknowledged"),
        _fact(
            "",
            f"{count(producer.in_flight)} in flight",
            f"queue {count(producer.queue)}",
            f"blocked {millis(producer.blocked_ms)}",
        ),
    ]
    if producer.latency is not None:
        p50, p99 = millis(producer.latency.p50), millis(producer.latency.p99)
        lines.append(_fact("", f"acknowledged after p50 {p50}", f"p99 {p99}"))
    lines.extend(_fact("refused", f"{safe(reason)} {number:,}") for reason, number in producer.refused.items())
    return lines


def _late(state: State) -> list[Line]:
    lines = []
    for name, by_symbol in state.windowing.late.items() if state.windowing is not None else ():
        if by_symbol:
            late = ", ".join(f"{safe(symbol)} {number:,}" for symbol, number in by_symbol.items())
            lines.append(_fact("late", f"{safe(name)}: {late}"))
    return lines


class Strip(Lines):
    """One line a stage, for layouts where the health pane has no room."""

    topics: ClassVar[tuple[str, ...]] = ("cluster", "stats", "services", "phase")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - five lines
        """Make the lines."""
        return [cut(stage.line(10), width) for stage in stages(self.state, self.host.now())]
