"""The windows: the unfinished ones apart, tables of the closed ones, candles. Of one symbol or of all."""

from typing import Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.widget import Widget

from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import Line, Span, duration, safe
from cryptostreamx_tui.panes.pane import Pane, dim
from cryptostreamx_tui.state import STATS_STALE_MS, State
from cryptostreamx_tui.widgets.candles import Candles, drawable
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.window_table import UnfinishedRows, WindowTable, figures
from cryptostreamx_tui.window_words import export, matcher, matches
from pipeline.model import WINDOW_MS

Shown = Literal["tables", "candles", "both"]
VIEWS: tuple[Shown, ...] = ("tables", "candles", "both")
BOTH_FROM = (84, 18)
"""Columns and rows from which on candles stand above the tables unless a person chose otherwise."""
TWO_CHARTS = 26
"""Rows from which on both sizes have room as candles."""
TWO_TABLES = 20
"""Rows from which on both sizes have room as tables beside candles."""


class WindowsPane(Pane):
    """Both sizes."""

    key: ClassVar[str] = "windows"
    filter_hint: ClassVar[str] = "symbol, partial, unknown, whole, late, corrected"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.symbol: str | None = None
        """The symbol that is shown; None for all."""
        self.chosen: Shown | None = None
        """The view a person chose; None: as the room allows."""
        self._wanted: tuple[str, ...] = ()

    def content(self) -> ComposeResult:
        """Everything at once; ``_arrange`` says what is in sight."""
        state = self.host.state
        shared: dict[bool, list[Column[Any]]] = {narrow: figures(state, narrow=narrow) for narrow in (False, True)}
        with Container(id="window-tables"):
            yield UnfinishedRows(state, shared, self._symbols)
            for size in WINDOW_MS:
                yield Candles(size, lambda: drawable(state, self.symbol))
            for size in WINDOW_MS:
                yield WindowTable(state, size, shared)

    def on_mount(self) -> None:
        """Begin with what there is room for."""
        self._arrange()

    def on_resize(self, _: Resize) -> None:
        """Arrange for the new size."""
        self._arrange()

    # ------------------------------------------------------------ what is in sight

    @property
    def view(self) -> Shown:
        """What is shown: as chosen, or as the room allows."""
        if self.chosen is not None:
            return self.chosen
        return "both" if self.size.width >= BOTH_FROM[0] and self.size.height >= BOTH_FROM[1] else "tables"

    def _arrange(self) -> None:
        view, height = self.view, self.size.height
        charts = {"tables": (), "candles": ("1m", "5m") if height >= TWO_CHARTS else ("1m",), "both": ("1m",)}[view]
        tables = {"tables": ("1m", "5m"), "candles": (), "both": ("1m", "5m") if height >= TWO_TABLES else ("1m",)}[
            view
        ]
        for candles in self.query(Candles):
            candles.display = candles.window_size in charts
        for table in self.query(WindowTable):
            table.display = table.window_size in tables
        self._settle()
        if self.stops and any(widget.has_focus and not widget.display for widget in self.query(Widget)):
            self.stops[0].focus(scroll_visible=False)

    def _settle(self) -> None:
        """Give the unfinished windows as many lines as they need, within a third of the pane."""
        for rows in self.walk_children(UnfinishedRows):
            wanted = min(1 + len(rows.places()), max(5, self.size.height // 4))
            if rows.styles.height is None or rows.styles.height.value != wanted:
                rows.styles.height = wanted

    @property
    def stops(self) -> list[Widget]:
        """The lists and charts in sight."""
        return [widget for widget in self.query("WindowTable, Candles").results(Widget) if widget.display]

    def _symbols(self) -> list[str]:
        """Return the symbols whose unfinished windows are shown."""
        if self.symbol is not None:
            return [self.symbol]
        state = self.host.state
        return [s for s in state.known if s in state.wanted and (not self._wanted or any(w in s for w in self._wanted))]

    def _redraw(self) -> None:
        """Draw what shows another symbol now; the tables do so by themselves."""
        for view in (*self.query(UnfinishedRows), *self.query(Candles)):
            view.redraw()

    def _choices(self) -> list[str | None]:
        state = self.host.state
        return [None, *dict.fromkeys([*state.known, *state.windows.symbols])]

    # ------------------------------------------------------------ actions

    def action_next_symbol(self, by: int = 1) -> None:
        """Show the windows of the next symbol; after the last one, of all."""
        choices = self._choices()
        here = choices.index(self.symbol) if self.symbol in choices else 0
        self.symbol = choices[(here + by) % len(choices)]
        for table in self.query(WindowTable):
            table.show(self.symbol)
        self._settle()
        self._redraw()
        self.host.say(f"windows of {self.symbol or 'all symbols'}")

    def action_previous_symbol(self) -> None:
        """Show the windows of the previous symbol, or of all."""
        self.action_next_symbol(-1)

    def action_view(self) -> None:
        """Show the next of tables, candles, both."""
        self.chosen = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self._arrange()
        if self.stops:
            self.stops[0].focus(scroll_visible=False)
        self.host.say(f"showing {self.chosen}")

    def apply_filter(self, text: str) -> str | None:
        """Show windows whose symbol holds a word, and that have the flags that are named."""
        symbols, flags = matcher(text)
        self._wanted = symbols
        for table in self.query(WindowTable):
            table.only = (lambda row: matches(row, symbols, flags)) if symbols or flags else None
        self._redraw()
        self.host.touch()
        return None

    def export(self) -> Export | None:
        """Return the closed windows that are listed, both sizes, the newest first."""
        rows = [table.item(i) for table in self.query(WindowTable) for i in range(table.total())]
        return export(rows) if rows else None

    # ------------------------------------------------------------ title

    def facts(self, state: State, now: int) -> Line:
        """Of which symbol; whether the windows process still reports, and the time before is known."""
        line: Line = [*self.held(), Span(f"{safe(self.symbol, 20) if self.symbol else 'all symbols'} ", "dim")]
        age = state.stats_age("windows", now)
        if age is not None and age > STATS_STALE_MS:
            line.append(Span(f"STALE {duration(age)} ", "warn"))
        if not state.windows.history_read and state.phase is not None and state.phase.phase == "running":
            line.append(Span("no history yet", "warn"))
        return line

    def fade(self, state: State, now: int) -> None:
        """Dim the tables when the windows process went silent; make room for what is unfinished."""
        age = state.stats_age("windows", now)
        for table in self.walk_children(WindowTable):
            dim(table, age is not None and age > STATS_STALE_MS)
        self._settle()
