"""The records of both dead letter topics: what was refused, why, and from where; and their replay."""

import functools
from collections import Counter
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.details import Detail
from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import Line, Span, hms, safe
from cryptostreamx_tui.letters import (
    explanation,
    letter_detail,
    letter_export,
    plan_detail,
    replay_question,
    searched,
    source,
    stage,
)
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.screens.decoded import DecodedScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import spread
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.rows import Stream
from cryptostreamx_tui.widgets.view import Lines
from pipeline.broker.replay import Plan, place_of
from pipeline.broker.replayed import Mark, Marks, identity
from pipeline.desk import Desk
from pipeline.model import DLQ_TOPICS, DeadLetter

TOPICS = ("", *DLQ_TOPICS)
"""What one key goes through: both, then one at a time."""


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
        self.marks: Marks = {}
        """What was replayed."""
        super().__init__(
            lambda: state.dead,
            (
                Column("time", 8, lambda d: Span(hms(d.timestamp), "dim"), fixed=True),
                Column("", 1, self._mark, fixed=True),
                Column("reason", 16, lambda d: Span(d.reason.rpartition(".")[2], "warn")),
                Column("why", 26, lambda d: Span(explanation(d)), flexible=True),
                Column("from", 21, lambda d: Span(source(d), "dim")),
                Column("stage", 15, lambda d: Span(stage(d), "dim")),
                Column("letter", 18, lambda d: Span(place_of(d), "dim")),
            ),
            empty="no dead letters",
            id="letter-rows",
        )

    def _mark(self, letter: DeadLetter) -> Span:
        mark = self.marks.get(identity(letter))
        return Span("" if mark is None else "↻" if mark.target else "?", "good" if mark and mark.target else "warn")

    def remember(self, marks: Marks) -> None:
        """Show which letters were replayed."""
        if marks != self.marks:
            self.marks = marks
            self.forget()

    def detail(self, item: DeadLetter) -> Detail:
        """Return payload, headers and reason."""
        return letter_detail(item, None, self.marks.get(identity(item)))

    def action_open(self) -> None:
        """Open the selected letter; its record is decoded meanwhile."""
        if self.cursor is None:
            self.action_cursor(1)
        letter = self.selected
        if letter is not None:
            make = functools.partial(letter_detail, letter, mark=self.marks.get(identity(letter)))
            self.host.push_screen(DecodedScreen(make, letter.key, letter.value))


class DeadLettersPane(Pane):
    """Both dead letter topics."""

    key: ClassVar[str] = "dead"
    filter_hint: ClassVar[str] = "words of the reason, the source, a header, the key or the payload"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._topic = ""
        self._words: tuple[str, ...] = ()
        self._asked: Desk | None = None
        """Whose marks are shown: another run may have another home."""

    def content(self) -> ComposeResult:
        """Counts, then the letters."""
        yield Reasons(id="reasons")
        yield LetterRows(self.app.state)  # type: ignore[attr-defined]

    @property
    def letters(self) -> LetterRows:
        """The list."""
        return self.query_one(LetterRows)

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many there are, and what is left out."""
        total = state.dead_letters
        line = [*self.held(), Span(f"{total:,}" if total else "", "warn")]
        if self._topic or self._words:
            words = f" · {self.letters.total():,} shown{f': {self._topic}' if self._topic else ''}"
            line.append(Span(words, "accent"))
        return line

    def fade(self, state: State, now: int) -> None:  # noqa: ARG002
        """Read, once for each run, what was replayed: nothing else tells when its desk is there."""
        desk = self.host.stack.desk
        if desk is not None and desk is not self._asked and state.dead_read:
            self._asked = desk
            self.host.command(self._remember(desk), "read which letters were replayed")

    async def _remember(self, desk: Desk) -> None:
        self.letters.remember(await desk.replayed())

    # ------------------------------------------------------------ which letters

    def apply_filter(self, text: str) -> str | None:
        """Show letters that hold every word."""
        self._words = tuple(text.casefold().split())
        self._narrow()
        return None

    def action_topic(self) -> None:
        """Show the letters of the next topic, or of both."""
        self._topic = TOPICS[(TOPICS.index(self._topic) + 1) % len(TOPICS)]
        self._narrow()
        self.host.say(f"letters of {self._topic}" if self._topic else "letters of both topics")

    def _narrow(self) -> None:
        topic, words = self._topic, self._words

        def matches(letter: DeadLetter) -> bool:
            return (not topic or letter.topic == topic) and all(word in searched(letter) for word in words)

        self.letters.only = matches if topic or words else None
        self.letters.empty = "no dead letter matches" if topic or words else "no dead letters"
        self.host.touch()

    def export(self) -> Export | None:
        """Return what is listed, newest first."""
        rows = self.letters
        total = rows.total()
        return letter_export(map(rows.item, range(total)), rows.marks) if total else None

    # ------------------------------------------------------------ replay

    def action_replay(self) -> None:
        """Show what a replay of the selected letter would do; ask then whether to do it."""
        letter, desk = self.letters.selected, self.host.stack.desk
        if letter is None:
            self.host.say("there is no letter to replay")
        elif desk is None:
            self.host.say("the brokers' addresses are not known yet", "warn")
        else:
            self.host.say("looking what a replay would do …")
            self.host.command(self._dry_run(desk, letter), "look what a replay would do")

    async def _dry_run(self, desk: Desk, letter: DeadLetter) -> None:
        plan = await desk.dry_run(letter, self.host.state.wanted)
        await self._remember(desk)
        mark = self.letters.marks.get(identity(letter))
        self.host.push_screen(DetailScreen(plan_detail(plan, mark)), self._then(desk, plan, mark))

    def _then(self, desk: Desk, plan: Plan, mark: Mark | None) -> Callable[[object], None]:
        """Return what follows the dry run's page: a question, where there is something to do."""

        def answered(yes: bool | None) -> None:
            if yes:
                self.host.say(f"replaying {place_of(plan.letter)} …")
                self.host.command(self._replay(desk, plan, force=mark is not None), "replay the letter")

        def left(_: object) -> None:
            if plan.refusal is None:
                self.host.push_screen(ConfirmScreen(replay_question(plan, mark)), answered)

        return left

    async def _replay(self, desk: Desk, plan: Plan, *, force: bool) -> None:
        try:
            mark = await desk.replay(plan, force=force)
        finally:
            await self._remember(desk)
        self.host.say(f"{mark.letter} {mark.words}", "good")
