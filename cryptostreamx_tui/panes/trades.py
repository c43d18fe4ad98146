"""The live tape."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.format import Line, Span, count, duration
from cryptostreamx_tui.panes.pane import Pane, dim
from cryptostreamx_tui.state import FEED_STALE_MS, State
from cryptostreamx_tui.widgets.tape import Tape


class TradesPane(Pane):
    """Trades, newest on top."""

    key: ClassVar[str] = "trades"
    filter_hint: ClassVar[str] = "symbol"

    def content(self) -> ComposeResult:
        """The tape alone."""
        yield Tape(self.app.state)  # type: ignore[attr-defined]

    def apply_filter(self, text: str) -> str | None:
        """Show trades of symbols that hold ``text``."""
        wanted = text.upper()
        self.query_one(Tape).only = (lambda entry: wanted in entry[0].trade.symbol) if wanted else None
        return None

    def facts(self, state: State, now: int) -> Line:
        """How many were read, how old the newest is."""
        held = self.held()
        age = state.feed_age(now)
        if age is not None and age > FEED_STALE_MS:
            return [*held, Span(f" STALE {duration(age)}", "warn")]
        return held or [Span(f"{count(state.trades.end)} read" if state.trades.end else "", "dim")]

    def fade(self, state: State, now: int) -> None:
        """Dim the tape when nothing new came for long."""
        age = state.feed_age(now)
        for tape in self.query(Tape):
            dim(tape, age is not None and age > FEED_STALE_MS)
