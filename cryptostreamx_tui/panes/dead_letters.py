"""The records of both dead letter topics: what was refused, why, and from where."""

from collections import Counter
from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.details import Detail, explanation, letter_detail, source, stage
from cryptostreamx_tui.format import Line, Span, hms, safe
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import spread
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.rows import Stream
from cryptostreamx_tui.widgets.view import Lines
from pipeline.model import DLQ_TOPICS, DeadLetter


class Reasons(Lines):
    """Counts by reason, the most frequent first."""

    topics: ClassVar[tuple[str, ...]] = ("dead",)

    def lines(self, width: int, height: int) -> list[Line]:
        """Make a line for each topic; with room for one line only, both share it."""
        state = self.state
        if not state.dead_read:
            return [[Span(" –", "dim")]]
        made: list[Line] = []
        for topic in DLQ_TOPICS:
            counts = Counter({reason: n for (t, reason), n in state.dead_reasons.items() if t == topic})
            line: Line = [Span(f" {topic} ", "dim"), Span(f"{counts.total():,}", "strong")]
            for reason, number in counts.most_common(8):
                line.append(Span(f" · {safe(reason.rpartition('.')[2], 40)} {number:,}"))
            made.append(line)
        if height >= len(made):
            return [spread(line, [], width) for line in made]
        return [spread([span for line in made for span in (*line, Span(" "))], [], width)]


class LetterRows(Stream[DeadLetter]):
    """One line a dead letter; ``enter`` shows payload and headers."""

    topics: ClassVar[tuple[str, ...]] = ("dead",)

    def __init__(self, state: State) -> None:
        super().__init__(
            lambda: state.dead,
            (
                Column("time", 8, lambda d: Span(hms(d.timestamp), "dim"), fixed=True),
                Column("reason", 16, lambda d: Span(d.reason.rpartition(".")[2], "warn")),
                Column("why", 28, lambda d: Span(explanation(d)), flexible=True),
                Column("from", 21, lambda d: Span(source(d), "dim")),
                Column("stage", 15, lambda d: Span(stage(d), "dim")),
            ),
            empty="no dead letters",
            id="letter-rows",
        )

    def detail(self, item: DeadLetter) -> Detail:
        """Return payload, headers and reason."""
        return letter_detail(item)


class DeadLettersPane(Pane):
    """Both dead letter topics."""

    key: ClassVar[str] = "dead"

    def content(self) -> ComposeResult:
        """Counts, then the letters."""
        yield Reasons(id="reasons")
        yield LetterRows(self.app.state)  # type: ignore[attr-defined]

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many there are."""
        total = state.dead_letters
        return self.held() or [Span(f"{total:,}" if total else "", "warn")]
