"""The query pane: keys, typing, running, cancelling, errors, history, export, hostile text."""

import subprocess
import sys
from types import TracebackType
from typing import Any, Self

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widget import Widget

from cryptostreamx_tui.panes.query import QueryPane
from cryptostreamx_tui.screens.choose import ChooseScreen
from cryptostreamx_tui.screens.confirm import ConfirmScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.widgets.editor import Editor
from pipeline.model import ServiceState
from pipeline.store.history import Ran
from pipeline.store.query import Answer, AwayError, QueryError, Summary
from pipeline.store.ready import READY
from pipeline.store.result import Row, Table
from tests.tui import fakes
from tests.tui.fakes import NOON, FakeDesk, application, pressed, tell, text_of
from tests.tui.test_hostile import HOSTILE, harmless


def answer(head: str, *rows: str, limit: int = 100_000) -> Answer:
    """A result from lines whose values are separated by blanks."""
    table = Table(limit)
    table.feed("".join("\t".join(line.split(" ")) + "\n" for line in (*head.split("\n"), *rows)).encode())
    table.close()
    return Answer(table, Summary(3_000_000, 0, len(rows)), 0.042)


SYMBOLS = answer(
    "symbol trades price nothing\nString UInt64 Float64 Nullable(String)",
    "BTCUSDT 1200 61837.63 \\N",
    "ETHUSDT 80 2682.5 \\N",
    "SOLUSDT 7 155 x\\ny",
)


class Query:
    """The pane in a running application."""

    def __init__(self, size: tuple[int, int] = (80, 24)) -> None:
        self.app, self.stack, self.clock = application()
        self._running = self.app.run_test(size=size)
        self.pilot: Pilot[Any]

    @property
    def desk(self) -> FakeDesk:
        assert self.stack.desk is not None
        return self.stack.desk

    @property
    def pane(self) -> QueryPane:
        return self.app.main_screen.query_one(QueryPane)

    @property
    def editor(self) -> Editor:
        return self.app.main_screen.query_one(Editor)

    @property
    def asked(self) -> list[tuple[str, object]]:
        """Questions of this pane (others ask by themselves)."""
        return [(name, value) for name, value in self.desk.asked if name.endswith("_query")]

    @property
    def told(self) -> str:
        """The notifications."""
        return "\n".join(notification.message for notification in self.app._notifications)

    async def __aenter__(self) -> Self:
        self.pilot = await self._running.__aenter__()
        await tell(self.app, self.pilot, *fakes.streaming(NOON))
        await self.pilot.press("u")
        await self.settle()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.__aexit__(kind, error, trace)

    def focused(self) -> Widget | None:
        return self.app.screen.focused

    async def settle(self) -> None:
        """Wait until nothing is under way, then draw."""
        await self.pilot.pause()
        await self.app.workers.wait_for_complete()
        await self.pilot.pause()
        await tell(self.app, self.pilot)

    async def press(self, *keys: str) -> str:
        """Press keys; what one begins is over before the next one."""
        for key in keys:
            await self.pilot.press(key)
            if len(key) > 1:
                await self.settle()
        await self.settle()
        return text_of(self.app)


async def test_letters_are_typed_in_the_editor_and_function_keys_still_switch() -> None:
    pressed("query", "stop", "edit")
    async with Query() as query:
        assert query.focused() is query.editor
        await query.press(*"twq1?")
        assert (query.editor.text, query.app.pane_name) == ("twq1?", "query")
        screen = await query.press("enter")
        assert query.editor.text == "twq1?\n"
        footer = screen.splitlines()[-1]
        assert "^r run" in footer
        assert "i edit" not in footer, "a letter would be typed"
        assert "i edit" in (await query.press("escape")).splitlines()[-1]
        assert query.focused() is query.pane.table
        await query.press("i")
        assert query.focused() is query.editor
        await query.press("f2")
        assert query.app.pane_name == "windows"
        await query.press("f7")
        assert (query.app.pane_name, query.focused()) == ("query", query.editor)
        await query.press("escape", "t")
        assert query.app.pane_name == "trades"


async def test_tab_goes_through_editor_and_table_and_on() -> None:
    async with Query() as query:
        seen = [query.focused()]
        for _ in range(2):
            await query.press("tab")
            seen.append(query.focused())
        assert seen[:2] == [query.editor, query.pane.table]
        assert query.app.pane_name == "symbols"
        await query.press("shift+tab", "shift+tab")
        assert (query.app.pane_name, query.focused()) == ("query", query.editor)
        assert query.editor.text == ""


async def test_a_query_is_run_and_its_rows_are_shown() -> None:
    pressed("query", "run")
    async with Query((100, 30)) as query:
        query.desk.answer = SYMBOLS
        await query.press(*"select 1; select 2")
        screen = await query.press("ctrl+r")
        assert query.asked == [("run_query", ("select 2", False))]
        assert "✓ 3 rows · 0.042 s · 3,000,000 rows read · at 12:04:31Z · statement 2 of 2" in screen
        lines = [line.rstrip() for line in screen.splitlines()]
        at = next(i for i, line in enumerate(lines) if line.startswith(" symbol"))
        assert lines[at : at + 4] == [
            " symbol  trades    price nothing",
            "›BTCUSDT   1200 61837.63 NULL",
            " ETHUSDT     80  2682.5  NULL",
            " SOLUSDT      7   155    x⏎y",
        ]
        assert "row 1 of 3" in screen
        assert query.desk.ran == [Ran("select 2", NOON)]
        await query.press("ctrl+home")
        query.editor.move_cursor((0, 3))
        await query.press("ctrl+r")
        assert query.asked[-1] == ("run_query", ("select 1", False))


async def test_a_row_opens_as_a_page_and_is_copied() -> None:
    async with Query() as query:
        query.desk.answer = SYMBOLS
        await query.press(*"select 1", "ctrl+r", "escape", "down", "down", "y")
        assert query.app.clipboard == "SOLUSDT\t7\t155\tx\\x0ay"
        screen = await query.press("enter")
        assert isinstance(query.app.screen, DetailScreen)
        assert "Result · row 3 of 3" in screen
        assert "Nullable(String)" in screen
        await query.press("escape")
        assert query.focused() is query.pane.table


async def test_nothing_to_run_is_said() -> None:
    async with Query() as query:
        assert "there is no statement to run" in await query.press("ctrl+r")
        assert query.asked == []


async def test_while_a_query_runs_it_can_be_cancelled() -> None:
    async with Query() as query:
        await query.pilot.press(*"select 1", "ctrl+r")
        await tell(query.app, query.pilot)
        query.clock.forward(3_200)
        await tell(query.app, query.pilot)
        assert "◌ running 3s" in text_of(query.app)
        await query.pilot.press("ctrl+r")
        await tell(query.app, query.pilot)
        assert "a query is running" in text_of(query.app)
        assert [name for name, _ in query.asked] == ["run_query"]
        screen = await query.press("escape")
        assert query.asked[-1] == ("cancel_query", True)
        assert "■ cancelled after 3.2 s" in screen
        assert query.focused() is query.editor


async def test_cancelling_also_ends_what_the_server_does_not_end() -> None:
    async with Query() as query:

        async def away(query_id: str) -> bool:
            raise AwayError("ClickHouse does not answer at http://127.0.0.1:8123")

        query.desk.cancel_query = away  # type: ignore[method-assign]
        await query.pilot.press(*"select 1", "ctrl+r")
        await tell(query.app, query.pilot)
        assert "■ cancelled after" in await query.press("escape")


async def test_quitting_while_a_query_runs() -> None:
    async with Query() as query:
        await query.pilot.press(*"select 1", "ctrl+r")
        await tell(query.app, query.pilot)
        await query.pilot.press("ctrl+c")
        await query.pilot.pause()
        assert query.stack.last() == ("stop", None)
    assert query.app.return_code == 0


async def test_errors_in_clickhouses_words_and_the_cursor_at_their_place() -> None:
    async with Query() as query:
        query.desk.error = QueryError("Syntax error: failed at position 10 (fro): fro x.", 62, "SYNTAX_ERROR", 10)
        screen = await query.press(*"select 1;", "enter", *"select é fro x", "ctrl+r")
        assert "✗ Code 62 · SYNTAX_ERROR · at line 2, column 9" in screen
        assert "Syntax error: failed at position 10 (fro): fro x." in screen
        assert query.editor.cursor_location == (1, 8)
        query.desk.error, query.desk.answer = None, SYMBOLS
        screen = await query.press("ctrl+r")
        assert "Syntax error" not in screen
        assert "BTCUSDT" in screen


async def test_while_clickhouse_is_away_it_says_so_and_what_to_do() -> None:
    async with Query() as query:
        service = fakes.service("clickhouse", NOON, ServiceState.BACKING_OFF, last_error="killed")
        await tell(query.app, query.pilot, service)
        assert "ClickHouse is backing off" in text_of(query.app)
        query.desk.error = AwayError("ClickHouse does not answer at http://127.0.0.1:8123: refused")
        screen = await query.press(*"select 1", "ctrl+r")
        assert "✗ ClickHouse does not answer" in screen
        assert "The service clickhouse is backing off." in screen
        assert "run it again with ctrl+r" in " ".join(screen.split())
        await query.press("escape")
        assert query.focused() in query.pane.stops
        query.stack.desk = None
        await query.press("i", "ctrl+o", "ctrl+r")
        assert "not known yet" in text_of(query.app)


@pytest.mark.parametrize("yes", [True, False])
async def test_what_changes_data_is_asked_first(yes: bool) -> None:
    async with Query() as query:
        table = Table(10)
        table.close()
        query.desk.answer = Answer(table, Summary(0, 12, 0), 0.01)
        screen = await query.press(*"drop table x", "ctrl+r")
        assert isinstance(query.app.screen, ConfirmScreen)
        assert "This statement changes data" in screen
        assert query.asked == []
        screen = await query.press("y" if yes else "n")
        assert query.asked == ([("run_query", ("drop table x", True))] if yes else [])
        assert ("✓ done · 12 rows written" in screen) is yes


async def test_what_the_server_calls_a_change_is_asked_too() -> None:
    async with Query() as query:
        query.desk.error = QueryError("default: Cannot execute query in readonly mode", 164, "READONLY")
        await query.press(*"do something", "ctrl+r")
        assert isinstance(query.app.screen, ConfirmScreen)
        query.desk.error, query.desk.answer = None, SYMBOLS
        assert "✓ 3 rows" in await query.press("y")
        assert [value for _, value in query.asked] == [("do something", False), ("do something", True)]


async def test_history_and_ready_made_queries() -> None:
    pressed("query", "history", "ready")
    async with Query() as query:
        assert "no query was run yet" in await query.press("ctrl+o")
        query.desk.ran = [Ran("SELECT 2\nFROM b", NOON), Ran("SELECT 1", NOON - 60_000)]
        screen = await query.press("ctrl+o")
        assert isinstance(query.app.screen, ChooseScreen)
        assert "SELECT 2 FROM b" in screen
        assert "2024-08-08 12:04" in screen
        await query.press("enter")
        assert query.editor.text == "SELECT 2\nFROM b"
        await query.press("ctrl+o", "down", "enter")
        assert query.editor.text == "SELECT 1"
        await query.press("ctrl+z")
        assert query.editor.text == "SELECT 2\nFROM b"
        query.desk.answer = SYMBOLS
        screen = await query.press("ctrl+t")
        assert READY[1].name in screen
        screen = await query.press("down", "enter")
        assert query.asked == [("run_query", (READY[1].sql, False))]
        assert "✓ 3 rows" in screen


@pytest.mark.parametrize(("keys", "ending"), [((), "csv"), (("down",), "jsonl"), (("down", "down"), "parquet")])
@pytest.mark.parametrize("key", ["ctrl+s", "e"])
async def test_the_whole_result_is_exported(key: str, keys: tuple[str, ...], ending: str) -> None:
    pressed("query", "save")
    async with Query() as query:
        query.desk.answer = SYMBOLS
        await query.press(*"select 1", "ctrl+r", "escape", key)
        assert isinstance(query.app.screen, ChooseScreen)
        screen = await query.press(*keys, "enter")
        name = f"query-20240808T120431-000.{ending}"
        assert query.asked[-1] == ("save_query", ("select 1", ending, name))
        assert f"150,000 rows, 2 MB, exported to {query.desk.home.exports / name}" in query.told
        assert "✓ 3 rows" in screen, "the rows are still there"


async def test_an_export_that_fails_is_told_and_the_rows_stay() -> None:
    async with Query() as query:
        assert "there is nothing to export" in await query.press("escape", "e")
        query.desk.answer = SYMBOLS
        await query.press("i", *"select 1", "ctrl+r", "ctrl+s")
        query.desk.error = QueryError("Memory limit exceeded", 241, "MEMORY_LIMIT_EXCEEDED")
        screen = await query.press("enter")
        assert "could not export: Memory limit exceeded" in query.told
        assert "✓ 3 rows" in screen


async def test_a_hundred_thousand_rows_are_never_all_made(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(100_000)
    table.feed(b"id\ttext\nUInt64\tString\n" + b"".join(b"%d\tvalue %d\n" % (i, i) for i in range(100_001)))
    table.close()
    made: list[int] = []
    row = Table.row

    def counted(table: Table, index: int) -> Row:
        made.append(index)
        return row(table, index)

    monkeypatch.setattr(Table, "row", counted)
    async with Query() as query:
        query.desk.answer = Answer(table, Summary(100_001, 0, 100_001), 0.5)
        screen = await query.press(*"select 1", "ctrl+r", "escape")
        assert "✓ first 100,000 rows of more (cut here; ^s exports all)" in screen
        screen = await query.press("end")
        assert "row 100,000 of 100,000" in screen
        assert " 99999 value 99999" in screen.replace("›", " ")
        await query.press("pageup", "up", "home", "pagedown", "down")
        assert len(made) < 1_000


async def test_wide_results_shift() -> None:
    async with Query() as query:
        query.desk.answer = answer(
            " ".join(f"column_{i}" for i in range(30)) + "\n" + " ".join(["String"] * 30), " ".join(["x" * 60] * 30)
        )
        screen = await query.press(*"select 1", "ctrl+r", "escape")
        assert ("column_0" in screen, "column_3 " in screen) == (True, False)
        screen = await query.press("right", "right", "right")
        assert ("column_0" in screen, "column_3 " in screen) == (False, True)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_text(size: tuple[int, int]) -> None:
    large = "x" * 1_000_000
    raw = HOSTILE.encode("utf-8", "surrogatepass").replace(b"\n", b"\\n").replace(b"\0", b"\\0")
    table = Table(10)
    table.feed(raw + b"\tb\nString\t" + raw + b"\n" + raw + b"\xff\t1\n" + large.encode() + b"\t\\N\n")
    table.close()
    async with Query(size) as query:
        query.editor.post_message(Paste(f"SELECT '{HOSTILE}'"))
        await query.settle()
        assert harmless(text_of(query.app))
        assert "\x1b" not in query.editor.text
        query.desk.answer = Answer(table, Summary(), 0.1)
        assert harmless(await query.press("ctrl+r"))
        assert harmless(await query.press("escape", "down", "enter"))
        await query.press("escape", "up", "y")
        assert harmless(query.app.clipboard.replace("\t", " "))
        query.desk.error = QueryError(HOSTILE + large, 1, HOSTILE)
        assert harmless(await query.press("i", "ctrl+r"))
        query.desk.error = AwayError(HOSTILE)
        assert harmless(await query.press("ctrl+r"))
        query.desk.ran = [Ran(HOSTILE + large, NOON)]
        assert harmless(await query.press("ctrl+o"))
        assert harmless(await query.press("enter"))
        assert "\x1b" not in query.editor.text
        query.editor.put(f"DROP TABLE `{HOSTILE}`")
        assert harmless(await query.press("ctrl+r"))


async def test_the_editor_follows_the_theme() -> None:
    async with Query() as query:
        colours = []
        for theme in ("cryptostreamx-night", "cryptostreamx-day"):
            query.app.theme = theme
            await query.settle()
            style = query.editor._theme.get_highlight("keyword")
            assert style is not None
            colours.append((query.editor.theme, style.color, query.editor.styles.background))
        assert len(set(colours)) == 2
        assert colours[0][2] != colours[1][2]


async def test_a_command_at_once_does_not_wait_for_the_editor() -> None:
    app, stack, _ = application()
    assert stack.desk is not None
    stack.desk.answer = SYMBOLS
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("u", "ctrl+t", "enter")
        await app.workers.wait_for_complete()
        await tell(app, pilot)
        assert "BTCUSDT" in text_of(app)
        assert app.main_screen.query_one(Editor).text == READY[0].sql


def test_the_editor_is_not_loaded_before_it_is_shown() -> None:
    code = "import sys, cryptostreamx_tui.app; print([name for name in sys.modules if 'tree_sitter' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
