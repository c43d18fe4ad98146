"""The records of any topic: from anywhere, page by page, followed, searched, whole."""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget
from textual.worker import Worker

from cryptostreamx_tui.format import Line, Span
from cryptostreamx_tui.looking import Looking, age_words, heading, stale
from cryptostreamx_tui.panes.pane import Pane, dim
from cryptostreamx_tui.records import record_detail, record_export
from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.screens.choose import Choice, ChooseScreen
from cryptostreamx_tui.screens.decoded import DecodedScreen
from cryptostreamx_tui.screens.prompt import PromptScreen
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import spread
from cryptostreamx_tui.widgets.records import RecordRows, TopicRows
from cryptostreamx_tui.widgets.rows import Rows
from cryptostreamx_tui.widgets.view import Lines
from pipeline.broker.messages import Hits, Look, Question, Shown
from pipeline.broker.page import Page
from pipeline.broker.ranges import BrowseError
from pipeline.broker.start import End, parse_start
from pipeline.desk import Desk
from pipeline.text import clean

PAGE = 100
"""Records of a page, and of one look while following."""
KEPT = 1_000
"""Records of what is followed."""
POLL_S = 1.0
SEARCHING = "searching"
TOPICS_S = 5.0
STARTS = (
    ("end", "the newest records, then older ones"),
    ("beginning", "the oldest that are still there, then newer ones"),
    ("-5m", "five minutes ago (s, m, h, d)"),
)
IN_A_TOPIC = ("follow", "start_at", "partition", "search", "next_page", "previous_page", "topics")
"""Actions that need a topic."""


class Where(Lines):
    """What one looks at."""

    topics: ClassVar[tuple[str, ...]] = ("messages", "view")
    ages: ClassVar[bool] = True

    def __init__(self, pane: "MessagesPane") -> None:
        super().__init__(id="message-where", classes="heading")
        self._pane = pane

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line."""
        pane, now = self._pane, self.host.now()
        left = heading(pane.looking, pane.shown_rows.total())
        right = [*pane.held(), *age_words(pane.looking, now)]
        return [spread([Span(" "), *left], right, width)]


class MessagesPane(Pane):
    """Topics, then the records of one."""

    key: ClassVar[str] = "messages"
    filter_hint: ClassVar[str] = "words of a topic's name, or of the records that are listed"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.looking = Looking()
        self._ring: Ring[Shown] = Ring(KEPT)
        self._words: tuple[str, ...] = ()
        self._asking: Worker[None] | None = None
        self._of: Desk | None = None
        """Whose answers are shown."""

    def content(self) -> ComposeResult:
        """Where one is, and one of the two lists."""
        yield Where(self)
        yield TopicRows()
        yield RecordRows(lambda: self._ring)

    def on_mount(self) -> None:
        """Topics first."""
        self._show_lists()
        self.set_interval(POLL_S, self._poll)
        self.set_interval(TOPICS_S, self._refresh_topics)

    def on_show(self) -> None:
        """Read the topics when the pane comes into sight."""
        self._refresh_topics()

    # ------------------------------------------------------------ what is shown

    @property
    def shown_rows(self) -> Rows[Any]:
        """The list that is in sight."""
        return self.query_one(TopicRows if self.looking.question is None else RecordRows)

    @property
    def records(self) -> RecordRows:
        """The list of records."""
        return self.query_one(RecordRows)

    @property
    def stops(self) -> list[Widget]:
        """The list that is in sight."""
        return [self.shown_rows]

    @property
    def rows(self) -> Rows[Any]:
        """The list that is in sight."""
        return self.shown_rows

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """Which topic, and whether it is followed."""
        question = self.looking.question
        if question is None:
            return []
        return [Span(clean(question.topic, 40), "dim"), Span(" following" if self.looking.following else "", "good")]

    def fade(self, state: State, now: int) -> None:  # noqa: ARG002
        """Dim what is followed when no answer comes any more; forget everything when another run has begun."""
        desk = self.host.stack.desk
        if desk is not None and desk is not self._of:
            if self._of is not None:
                self.looking.topics = None
                self.action_topics()
            self._of = desk
        if self.looking.question is not None:
            dim(self.records, stale(self.looking, now) is not None)

    def _show_lists(self) -> None:
        in_topic = self.looking.question is not None
        topics, records = self.query_one(TopicRows), self.records
        focused = topics.has_focus or records.has_focus
        topics.display, records.display = not in_topic, in_topic
        if focused:
            self.shown_rows.focus(scroll_visible=False)
        self._changed()

    def _changed(self) -> None:
        self.host.state.revision["messages"] += 1
        self.host.touch()

    def apply_filter(self, text: str) -> str | None:
        """Show what holds every word: topics by their names, records by what stands in their lines."""
        self._words = tuple(text.casefold().split())
        self.query_one(TopicRows).show(self.looking.topics or (), self._words)
        words = self._words

        def matches(shown: Shown) -> bool:
            line = f"{shown.key.line}\n{shown.value.line}".casefold()
            return all(word in line for word in words)

        self.records.only = matches if words else None
        self._changed()
        return None

    # ------------------------------------------------------------ asking

    def _ask(self, doing: str, answer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let one question be answered, in place of one that is not answered yet."""
        self.looking.doing, self.looking.scanned, self.looking.searching = doing, None, doing == SEARCHING
        if self._asking is not None:
            self._asking.cancel()

        async def run() -> None:
            trouble: str | None = None
            try:
                await answer()
                self.looking.at = self.host.now()
            except BrowseError as error:
                trouble = clean(str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the line above the list
                trouble = clean(f"{type(error).__name__}: {error}")
            looking = self.looking
            looking.trouble, looking.doing, looking.searching = trouble, "", False
            self.records.empty = "no answer" if trouble else "no record holds it" if looking.hits else "no records"
            self._changed()

        self._asking = self.run_worker(run, exit_on_error=True)
        self._changed()

    @property
    def _busy(self) -> bool:
        return self._asking is not None and not self._asking.is_finished

    @property
    def _in_sight(self) -> bool:
        return self.has_class("-current") and self.display and self.screen is self.app.screen

    def _desk(self) -> Desk | None:
        desk = self.host.stack.desk
        if desk is None:
            self.looking.trouble = "the brokers' addresses are not known yet"
            self._changed()
        return desk

    # ------------------------------------------------------------ topics

    def _refresh_topics(self) -> None:
        if self.looking.question is None and self._in_sight and not self._busy:
            desk = self._desk()
            if desk is not None:
                self._ask("" if self.looking.topics else "reading the topics", lambda: self._read_topics(desk))

    async def _read_topics(self, desk: Desk) -> None:
        topics = await desk.topics()
        self.looking.topics = topics
        self.query_one(TopicRows).show(topics, self._words)

    def on_topic_rows_chosen(self, message: TopicRows.Chosen) -> None:
        """Open a topic at its end."""
        message.stop()
        line = self.filter_line
        if line is not None:
            line.hide()
        self.open(Question(message.topic.name))

    def action_topics(self) -> None:
        """Go back to the topics."""
        if self._asking is not None:
            self._asking.cancel()
        self.looking = Looking(topics=self.looking.topics)
        if self.filter_line is not None:
            self.filter_line.hide()
        self._show_lists()
        self._refresh_topics()

    # ------------------------------------------------------------ pages

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Most keys mean something within a topic only; ``escape`` while a search runs or its hits are shown."""
        if action == "leave_search":
            return self.looking.searching or (self.looking.hits is not None and not self.records.held)
        if action in IN_A_TOPIC:
            return self.looking.question is not None
        return True

    def open(self, question: Question, *, following: bool = False) -> None:
        """Show a topic's records from the question's start on."""
        desk = self._desk()
        if desk is None:
            return
        self.looking = Looking(topics=self.looking.topics, question=question, following=following)
        self._fill(())
        self.records.empty = "reading …"
        self._show_lists()
        self._ask("reading", lambda: self._open(desk, question))

    async def _open(self, desk: Desk, question: Question) -> None:
        self._take(await desk.open_topic(question, PAGE))

    def _take(self, look: Look) -> None:
        self.looking.page, self.looking.hits, self.looking.words = look.page, None, ""
        self._fill(look.rows)

    def _fill(self, rows: tuple[Shown, ...]) -> None:
        """Show other rows, the first one on top."""
        self._ring = Ring(max(KEPT, len(rows)))
        self._ring.extend(reversed(rows), len(rows))
        self.records.arriving = self.looking.following
        self.records.forget()
        self.records.follow()

    def action_start_at(self) -> None:
        """Ask where to start."""
        question = self.looking.question
        assert question is not None

        def suggest(typed: str) -> Sequence[tuple[str, str]]:
            return [start for start in STARTS if start[0].startswith(typed.strip().lower())]

        def check(text: str) -> str | None:
            try:
                parse_start(text or "end", self.host.now())
            except ValueError as error:
                return str(error)
            return None

        def answered(text: str | None) -> None:
            if text is not None:
                self.open(Question(question.topic, question.partition, parse_start(text or "end", self.host.now())))

        words = "Start at an offset, at a time (12:04, 2024-08-08T12:04, -5m; UTC), at the beginning or the end"
        self.host.push_screen(PromptScreen(words, hint="end", suggest=suggest, check=check), answered)

    def action_partition(self) -> None:
        """Ask which partition to read."""
        question = self.looking.question
        assert question is not None
        view = next((topic for topic in self.looking.topics or () if topic.name == question.topic), None)
        marks = view.watermarks if view is not None else {}
        choices = [Choice("", "all partitions")]
        for part, found in marks.items():
            words = "does not answer" if found is None else f"offsets {found[0]:,} to {found[1]:,}"
            choices.append(Choice(str(part), f"partition {part}", words))

        def answered(chosen: str | None) -> None:
            if chosen is not None:
                part = int(chosen) if chosen else None
                self.open(Question(question.topic, part, question.start), following=self.looking.following)

        self.host.push_screen(ChooseScreen("Which partition", choices), answered)

    def action_next_page(self) -> None:
        """Read on, or search on, in the direction of reading."""
        looking, desk = self.looking, self._desk()
        question, page = looking.question, looking.page
        if desk is None or question is None or page is None:
            return
        if looking.hits is not None:
            if looking.hits.found.ended == "end":
                self.host.say("the search came to the end")
            else:
                self._search(desk, question, looking.words, looking.hits.found.reached)
        elif question.backwards:
            self._turn(desk, question, page, older=True)
        else:
            self._turn(desk, question, page, older=False)

    def action_previous_page(self) -> None:
        """Go back by a page, against the direction of reading."""
        question, page, desk = self.looking.question, self.looking.page, self._desk()
        if desk is not None and question is not None and page is not None:
            self._turn(desk, question, page, older=not question.backwards)

    def _turn(self, desk: Desk, question: Question, page: Page, *, older: bool) -> None:
        self.looking.following = False
        self._ask("reading", lambda: self._read_page(desk, question, page, older=older))

    async def _read_page(self, desk: Desk, question: Question, page: Page, *, older: bool) -> None:
        look = await (desk.older if older else desk.newer)(question, page, PAGE)
        if look.rows:
            self._take(look)
        else:  # what is in sight stays
            self.host.say("there is nothing older" if older else "nothing newer has come yet")

    # ------------------------------------------------------------ following

    def action_follow(self) -> None:
        """Follow the newest records, or stay where one is."""
        question = self.looking.question
        assert question is not None
        if self.looking.following:
            self.looking.following = self.records.arriving = False
            self._changed()
        else:
            self.open(Question(question.topic, question.partition, End()), following=True)

    def _poll(self) -> None:
        looking = self.looking
        question, page, desk = looking.question, looking.page, self.host.stack.desk
        if looking.following and question is not None and self._in_sight and not self._busy and desk is not None:
            if page is None:
                self._ask("reading", lambda: self._open(desk, question))
            else:
                self._ask("", lambda: self._follow(desk, question, page))

    async def _follow(self, desk: Desk, question: Question, page: Page) -> None:
        look, skipped = await desk.newer(question, page, PAGE), 0
        if not look.page.is_last:  # more comes than can be shown: go to the newest, and say what was passed over
            look = await desk.open_topic(question, PAGE)
            skipped = sum(max(0, begin - page.ends.get(part, begin)) for part, begin in look.page.begins.items())
        rows = [shown for shown in look.rows if shown.record.offset >= page.ends.get(shown.record.partition, 0)]
        self.looking.page = replace(look.page, begins={**look.page.begins, **page.begins})
        self.looking.skipped += skipped
        self._ring.extend(reversed(rows), len(rows) + skipped)
        if skipped:
            self.records.forget()

    # ------------------------------------------------------------ search

    def action_search(self) -> None:
        """Ask what to search for, then look through the topic from where one started."""
        question = self.looking.question
        assert question is not None

        def answered(text: str | None) -> None:
            desk = self._desk()
            if text and desk is not None:
                self._search(desk, question, text, None)

        words = f"Search for text in keys, values and headers, from {question.start}; esc stops it"
        self.host.push_screen(PromptScreen(words, value=self.looking.words), answered)

    def _search(self, desk: Desk, question: Question, text: str, after: Page | None) -> None:
        self.looking.following, self.looking.words = False, text
        self._ask(SEARCHING, lambda: self._look_for(desk, question, text, after))

    async def _look_for(self, desk: Desk, question: Question, text: str, after: Page | None) -> None:
        def progress(scanned: int) -> None:
            self.looking.scanned = scanned
            self._changed()

        hits: Hits = await desk.search(question, text, after, progress)
        self.looking.hits = hits
        self._fill(hits.rows)

    def action_leave_search(self) -> None:
        """Stop the search, or leave what it found."""
        question, looking = self.looking.question, self.looking
        assert question is not None
        if looking.searching and self._asking is not None:
            self._asking.cancel()
            looking.doing, looking.searching = "", False
            self.host.say("search stopped")
            self._changed()
        else:
            self.open(question)

    # ------------------------------------------------------------ one record, a file

    def on_record_rows_wanted(self, message: RecordRows.Wanted) -> None:
        """Open a record, decoded whole."""
        message.stop()
        shown = message.shown
        make = functools.partial(record_detail, shown)
        self.host.push_screen(DecodedScreen(make, shown.record.key, shown.record.value))

    def begin_export(self) -> None:
        """Export the listed records, decoded whole."""
        rows, desk = self.records, self._desk()
        if self.looking.question is None or not rows.total() or desk is None:
            self.host.say("there are no records to export: open a topic first")
            return
        listed = [rows.item(index) for index in range(rows.total())]
        self.host.command(self._export(desk, self.looking.question.topic, listed), "export")

    async def _export(self, desk: Desk, topic: str, listed: list[Shown]) -> None:
        both = await asyncio.gather(*(desk.decode(s.record.key, s.record.value) for s in listed))
        found = ((s.record, key, value) for s, (key, value) in zip(listed, both, strict=True))
        self.host.export(record_export(topic, found))
