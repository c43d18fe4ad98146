"""SQL against ClickHouse: an editor, what came of the last query, its rows."""

import asyncio
import importlib
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.worker import Worker

from cryptostreamx_tui.export import place
from cryptostreamx_tui.format import Line, Span, count, date_time, fit, safe, size, wrap
from cryptostreamx_tui.outcome import Away, Cancelled, Done, Failed, Idle, Outcome, Running, brief, line, words
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.screens.choose import Choice, ChooseScreen
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import spread
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.results import ResultRows
from cryptostreamx_tui.widgets.rows import Rows
from cryptostreamx_tui.widgets.view import Lines
from pipeline.store.query import AwayError, QueryError
from pipeline.store.ready import READY
from pipeline.store.save import FORMATS, Saved
from pipeline.store.script import Part, changes_data, line_and_column, statement_at
from pipeline.text import clean

if TYPE_CHECKING:
    from cryptostreamx_tui.widgets.editor import Editor

SERVICE = "clickhouse"


class OutcomeLine(Lines):
    """What came of the query, and where the cursor is."""

    topics: ClassVar[tuple[str, ...]] = ("view", "services")
    ages: ClassVar[bool] = True

    def __init__(self, pane: "QueryPane") -> None:
        super().__init__(id="query-outcome", classes="heading")
        self._pane = pane

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line."""
        pane = self._pane
        left = line(pane.outcome, self.host.now()) or pane.hint()
        right = [Span(f"  {pane.table.position} ", "dim")] if pane.table.display else []
        return [spread([Span(" "), *left], right, width)]


class QueryWords(Page):
    """What stands in the table's place: an error in ClickHouse's words, what can be done."""

    def __init__(self, pane: "QueryPane") -> None:
        super().__init__(id="query-words")
        self._pane = pane

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the lines; the first paragraph says what it is."""
        made: list[Line] = []
        for index, paragraph in enumerate(words(self._pane.outcome)):
            tone = "" if index else "bad"
            made.extend([Span("  " + part, tone)] for part in wrap(paragraph, max(10, width - 4)))
        return made


class QueryPane(Pane):
    """Runs the statement the cursor is in."""

    key: ClassVar[str] = "query"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.outcome: Outcome = Idle()
        self._shown: str | None = None
        """The statement whose rows are shown."""
        self._query_id = ""
        self._worker: Worker[None] | None = None
        self._editor: Editor | None = None
        self._draft = ""
        """What is to be in the editor as soon as there is one."""
        self._begun = False

    def content(self) -> ComposeResult:
        """Editor, outcome, rows (or words in their place)."""
        yield Vertical(id="query-place")
        yield OutcomeLine(self)
        yield ResultRows(id="query-rows")
        yield QueryWords(self)

    def on_mount(self) -> None:
        """No words yet."""
        self.query_one(QueryWords).display = False

    @property
    def table(self) -> ResultRows:
        """The rows."""
        return self.query_one(ResultRows)

    @property
    def stops(self) -> list[Widget]:
        """The editor, then the rows or the words."""
        below = self.table if self.table.display else self.query_one(QueryWords)
        return [below] if self._editor is None else [self._editor, below]

    def facts(self, state: State, now: int) -> Line:
        """Return how many rows there are, or that ClickHouse is away."""
        service = state.services.get(SERVICE)
        if service is not None and service.state != "ready":
            return [Span(f"ClickHouse {service.state}", "warn")]
        return brief(self.outcome, now)

    def hint(self) -> Line:
        """Return what stands there before anything was run."""
        service = self.host.state.services.get(SERVICE)
        if self.host.stack.desk is None or (service is not None and service.state != "ready"):
            state = f"is {service.state}" if service is not None else "is not known yet"
            return [Span(f"ClickHouse {state}: Health (F3) shows more", "warn")]
        return [Span("nothing was run yet: ^t offers ready-made queries", "dim")]

    # ------------------------------------------------------------ the editor comes when it is needed

    def on_show(self) -> None:
        """Make the editor when the pane is seen for the first time."""
        if not self._begun:
            self._begun = True
            self.run_worker(self._make_editor(), exit_on_error=True)

    async def _make_editor(self) -> None:
        module = await asyncio.to_thread(importlib.import_module, "cryptostreamx_tui.widgets.editor")
        editor = cast("Editor", module.Editor(self._draft))
        await self.query_one("#query-place").mount(editor)
        self._editor = editor
        if self.has_class("-current") and self.screen.focused in (None, *self.stops):
            editor.focus(scroll_visible=False)
        self.host.touch()

    def _statement(self) -> Part | None:
        editor = self._editor
        if editor is None:
            return statement_at(self._draft, 0)
        if editor.selected_text.strip():
            return statement_at(editor.selected_text, 0)
        return statement_at(editor.text, editor.offset_of_cursor)

    # ------------------------------------------------------------ running

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """``escape`` means something while a query runs and in the editor; the rest of the time it is the screen's."""
        if action == "stop":
            return isinstance(self.outcome, Running) or (self._editor is not None and self._editor.has_focus)
        if action == "save":
            return self._shown is not None
        return True

    def action_run(self) -> None:
        """Run the statement the cursor is in (or the selected text); ask first where it changes data."""
        part = self._statement()
        if isinstance(self.outcome, Running):
            self.host.say("a query is running: esc cancels it", "warn")
        elif part is None:
            self.host.say("there is no statement to run", "warn")
        elif changes_data(part.sql):
            self._ask(part)
        else:
            self._begin(part, confirmed=False)

    def _ask(self, part: Part) -> None:
        sql = safe(" ".join(part.sql.split()), 300)
        self.host.push_screen(
            ConfirmScreen(f"This statement changes data. Run it?  {sql}"),
            lambda yes: self._begin(part, confirmed=True) if yes else None,
        )

    def _begin(self, part: Part, *, confirmed: bool) -> None:
        where = f"statement {part.number} of {part.of}" if part.of > 1 else ""
        self._query_id = uuid.uuid4().hex
        self._set(Running(self.host.now(), part=where))
        self._worker = self.run_worker(self._run(part, confirmed), exit_on_error=True)

    async def _run(self, part: Part, confirmed: bool) -> None:
        began = self.host.now()
        where = self.outcome.part if isinstance(self.outcome, Running) else ""
        desk = self.host.stack.desk
        try:
            if desk is None:
                self._set(self._away("its address is not known yet"))
                return
            self.host.command(desk.remember_query(part.sql, began), "write the history")
            answer = await desk.run_query(part.sql, self._query_id, confirmed=confirmed)
        except asyncio.CancelledError:
            self._set(Cancelled(self.host.now() - began))
            raise
        except QueryError as error:
            if isinstance(self.outcome, Running) and self.outcome.cancelling:
                self._set(Cancelled(self.host.now() - began))
            else:
                self._set(self._failed(part, error))
                if error.refuses_change and not confirmed:
                    self._ask(part)
        except AwayError as error:
            self._set(self._away(str(error)))
        else:
            self._shown = part.sql if answer.table.columns else None
            self.table.show(answer.table)
            self._set(Done(answer, self.host.now(), where))

    def _failed(self, part: Part, error: QueryError) -> Failed:
        """Return the error, and put the cursor where ClickHouse says that it is."""
        editor, found = self._editor, None
        if error.position is not None and editor is not None and editor.text[part.start : part.end] == part.sql:
            before = part.sql.encode("utf-8", "replace")[: error.position - 1].decode("utf-8", "ignore")
            found = line_and_column(editor.text, part.start + len(before))
            editor.move_cursor((found[0] - 1, found[1] - 1))
        return Failed(str(error), error.code, error.name, found)

    def _away(self, message: str) -> Away:
        service = self.host.state.services.get(SERVICE)
        return Away(message, "" if service is None else str(service.state))

    def _set(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if self.host.stopping:
            return  # the widgets may be gone already
        said = self.query_one(QueryWords)
        told = bool(words(outcome))
        had = self.screen.focused in (self.table, said)
        self.table.display, said.display = not told, told
        if had:
            self.stops[-1].focus(scroll_visible=False)
        said.top = 0
        said.redraw()
        self.host.touch()

    def action_stop(self) -> None:
        """Cancel what runs; in the editor while nothing runs: go to the rows."""
        running = self.outcome
        if not isinstance(running, Running):
            self.stops[-1].focus(scroll_visible=False)
            self.host.touch()
        elif not running.cancelling:
            self._set(Running(running.since, running.doing, running.part, cancelling=True))
            self.host.command(self._cancel(self._worker), "cancel the query")

    async def _cancel(self, worker: "Worker[None] | None") -> None:
        desk = self.host.stack.desk
        try:
            if desk is not None:
                await desk.cancel_query(self._query_id)
        finally:
            if worker is not None:
                worker.cancel()

    # ------------------------------------------------------------ editor, history, ready-made queries

    def action_edit(self) -> None:
        """Go to the editor."""
        if self._editor is not None:
            self._editor.focus(scroll_visible=False)
            self.host.touch()

    def action_history(self) -> None:
        """Choose one of the queries that were run before."""
        desk = self.host.stack.desk
        if desk is None:
            self.host.say("the history is there once the pipeline has started", "warn")
            return

        async def offer() -> None:
            ran = await desk.query_history()
            if not ran:
                self.host.say("no query was run yet")
                return
            choices = [
                Choice(str(i), fit(" ".join(one.sql.split()), 200).rstrip(), date_time(one.at)[:16])
                for i, one in enumerate(ran)
            ]
            self.host.push_screen(
                ChooseScreen("Queries that were run, the newest first", choices),
                lambda value: self._put(ran[int(value)].sql) if value is not None else None,
            )

        self.host.command(offer(), "read the history")

    def action_ready(self) -> None:
        """Choose a ready-made query and run it."""

        def chosen(value: str | None) -> None:
            if value is not None:
                self._put(READY[int(value)].sql)
                self.action_run()

        choices = [Choice(str(i), ready.name, ready.about) for i, ready in enumerate(READY)]
        self.host.push_screen(ChooseScreen("Ready-made queries", choices), chosen)

    def _put(self, sql: str) -> None:
        if self._editor is None:
            self._draft = sql
        else:
            replaced = bool(self._editor.text.strip())
            self._editor.put(sql)
            self._editor.focus(scroll_visible=False)
            if replaced:
                self.host.say("ctrl+z brings back what was there")

    # ------------------------------------------------------------ export

    def begin_export(self) -> None:
        """Export the whole result."""
        self.action_save()

    def action_save(self) -> None:
        """Choose a format, then have ClickHouse write the whole result of the shown query."""
        sql = self._shown
        if sql is None:
            self.host.say("run a query first: there is nothing to export", "warn")
            return
        if isinstance(self.outcome, Running):
            self.host.say("a query is running: esc cancels it", "warn")
            return

        def chosen(ending: str | None) -> None:
            if ending is not None:
                before, self._query_id = self.outcome, uuid.uuid4().hex
                self._set(Running(self.host.now(), "exporting"))
                self._worker = self.run_worker(self._save(sql, ending, before), exit_on_error=True)

        more = {"csv": "a head line, then a row a line", "jsonl": "an object a line", "parquet": "columns, compressed"}
        choices = [Choice(ending, name, more[ending]) for ending, (name, _) in FORMATS.items()]
        self.host.push_screen(
            ChooseScreen("Export the whole result (all rows, not only those shown) as", choices), chosen
        )

    async def _save(self, sql: str, ending: str, before: Outcome) -> None:
        desk = self.host.stack.desk
        try:
            if desk is None:
                self.host.say("ClickHouse's address is not known yet", "bad")
                return
            path = place(desk.home.exports, "query", ending, self.host.now())
            saved: Saved = await desk.save_query(sql, ending, path, self._query_id)
            rows = "the" if saved.rows is None else count(saved.rows)
            self.host.notify(f"{rows} rows, {size(saved.size)}, exported to {clean(str(saved.path))}", markup=False)
        except (QueryError, AwayError, OSError) as error:
            if not (isinstance(self.outcome, Running) and self.outcome.cancelling):
                self.host.notify(clean(f"could not export: {error}"), severity="error", markup=False)
        finally:
            self._set(before)

    @property
    def rows(self) -> "Rows[Any] | None":
        """The rows, for copying; none while words stand in their place."""
        return self.table if self.table.display else None
