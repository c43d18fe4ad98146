"""The way out: what is being stopped, and what is still waited for."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.format import Line, Span, duration, fit, safe
from cryptostreamx_tui.screens.base import Face
from cryptostreamx_tui.stages import state_words
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.page import Page
from pipeline.model import ServiceState


def waiting_for(state: State) -> list[str]:
    """Return the names of the services that still run."""
    still = (ServiceState.READY, ServiceState.STARTING, ServiceState.STOPPING)
    return [safe(service.name, 40) for service in state.services.values() if service.state in still]


class Stopping(Page):
    """One line a service."""

    topics: ClassVar[tuple[str, ...]] = ("services", "phase", "view")
    ages: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(id="stopping")
        self.asked_again = False
        self.began: int | None = None

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the lines."""
        state, now = self.state, self.host.now()
        took = duration(now - self.began) if self.began is not None else ""
        lines: list[Line] = [
            [Span(" Stopping in order: the feed, what is still to be flushed, the servers", "strong")],
            [Span(f" {took}", "dim")],
            [],
        ]
        for service in reversed(list(state.services.values())):
            words = state_words(service, now)
            stopped = service.state is ServiceState.STOPPED
            sign = Span("   ✓ stopped", "good") if stopped else Span(f"   {words.text}", words.tone)
            lines.append([Span(f"   {fit(service.name, 16)}", "dim" if stopped else ""), sign])
        if self.asked_again:
            still = ", ".join(waiting_for(state)) or "the last files to be closed"
            lines.extend([[], [Span(f" Still waiting for: {still}", "warn")]])
        detail = state.phase.detail if state.phase else ""
        if detail:
            lines.extend([[], [Span(" " + safe(detail), "dim")]])
        return lines


class StoppingScreen(Face):
    """Shown until the stack has stopped."""

    def compose(self) -> ComposeResult:
        """The list."""
        yield Stopping()

    def on_mount(self) -> None:
        """Note when it began."""
        self.query_one(Stopping).began = self.host.now()

    def ask_again(self) -> None:
        """Say what is waited for."""
        page = self.query_one(Stopping)
        page.asked_again = True
        page.redraw()
