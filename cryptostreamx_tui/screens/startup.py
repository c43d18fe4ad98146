"""The start-up checklist: on the screen before any server is up, and again whenever it is asked for."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.checklist import checklist, progress
from cryptostreamx_tui.format import Line, Span, bar, duration, hms, safe
from cryptostreamx_tui.screens.base import Face
from cryptostreamx_tui.widgets.bars import Footer, Notice, attached_words, spread
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.view import Lines


class Head(Lines):
    """Which feed, what phase, for how long; below it how much is done."""

    topics: ClassVar[tuple[str, ...]] = ("phase", "steps", "services")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - three lines
        """Make the lines."""
        state, now = self.state, self.host.now()
        phase = state.phase.phase if state.phase else "starting"
        live = state.feed == "live"
        left: Line = [
            Span(" CryptoStreamX", "strong"),
            Span("  feed ", "dim"),
            Span("Binance live" if live else f"◆ {safe(state.feed, 40).upper()}", "" if live else "warn"),
            *attached_words(state),
            Span(
                "  " + {"running": "running", "failed": "FAILED"}.get(phase, phase + " …"),
                "bad" if phase == "failed" else "",
            ),
        ]
        if state.started is not None and phase == "starting":
            left.append(Span(f" {duration(now - state.started)}", "dim"))
        done, total = progress(state, now)
        filled, empty = bar(done, total, max(10, min(50, width - 30)))
        second: Line = [
            Span(" " + filled, "good"),
            Span(empty, "dim"),
            Span(f"  {done} of {total}" if total else "  –", "dim"),
        ]
        detail = state.phase.detail if state.phase else ""
        third: Line = [Span(" " + safe(detail), "bad" if phase == "failed" else "dim")] if detail else []
        return [spread(left, [Span(f"{hms(now)}Z ", "dim")], width), second, third]


class Checklist(Page):
    """The lines of the checklist."""

    topics: ClassVar[tuple[str, ...]] = ("steps", "services", "phase")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:
        """Make the lines."""
        lines = checklist(self.state, self.host.now(), width, height)
        return lines or [[Span("   nothing has been started yet", "dim")]]


class StartupScreen(Face):
    """The checklist with its notice and keys."""

    AUTO_FOCUS = "Page"
    BINDINGS: ClassVar[list[BindingType]] = bindings("start")
    by_hand = False
    """Whether a person opened it: then only a person leaves it."""

    def compose(self) -> ComposeResult:
        """Head, list, notice, keys."""
        yield Head(id="head")
        yield Checklist(id="checklist")
        yield Notice(id="notice", services=False)
        yield Footer(("start", "app"), id="footer")

    def action_enter_main(self) -> None:
        """Go to the main screen, ready or not."""
        self.host.show_main()
