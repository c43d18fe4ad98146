"""What the panes have in common: a name, its keys, a title line, a filter, lists that take the focus, an export."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from cryptostreamx_tui.actions import PANES, bindings
from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import Line, Span, plain
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import spread
from cryptostreamx_tui.widgets.filter import FilterLine
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.rows import Rows, Stream
from cryptostreamx_tui.widgets.view import Lines

if TYPE_CHECKING:
    from cryptostreamx_tui.app import CryptoStreamX


class Title(Lines):
    """A pane's title line, where several panes are in sight."""

    topics: ClassVar[tuple[str, ...]] = ("view", "trades", "dead", "log", "windows")
    ages: ClassVar[bool] = True

    def __init__(self, pane: "Pane") -> None:
        super().__init__(classes="title")
        self._pane = pane

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line: title, what there is to say, the letter that leads here."""
        title, letter = PANES[self._pane.key][0], self.host.key(f"main.pane.{self._pane.key}")
        action = f"screen.pane('{self._pane.key}')"
        here = self._pane.has_class("-current")
        left: Line = [Span(f" {title} ", "tab" if here else "title", action)]
        facts = self._pane.facts(self.state, self.host.now())
        hint = [Span(f" {letter} ", "dim", action)]
        line = spread([*left, Span(" "), *facts], hint, width)
        return [line if cell_len(plain(line)) <= width else left]


class Pane(Vertical):
    """One subject on the main screen. Its own keys are those of its place in the table of actions."""

    key: ClassVar[str]
    """Its name in ``actions.PANES``."""
    filter_hint: ClassVar[str] = ""
    """What may be typed into the filter line; a pane without a hint has none."""

    def __init_subclass__(cls, **options: Any) -> None:
        cls.BINDINGS = bindings(cls.key)
        super().__init_subclass__(**options)

    def compose(self) -> ComposeResult:
        """Title, the filter line, then the content."""
        yield Title(self)
        if self.filter_hint:
            yield FilterLine(self.filter_hint)
        yield from self.content()

    @property
    def host(self) -> "CryptoStreamX":
        """The application."""
        return cast("CryptoStreamX", self.app)

    def content(self) -> ComposeResult:
        """Yield what the pane is made of."""
        raise NotImplementedError

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002 - for those that have something to say
        """Return what stands beside the title: counts, freezing, staleness."""
        return self.held()

    def fade(self, state: State, now: int) -> None:
        """Dim what is too old to be shown as live."""

    # ------------------------------------------------------------ filter, export

    @property
    def filter_line(self) -> FilterLine | None:
        """The filter line, where this pane has one."""
        return self.query_one(FilterLine) if self.filter_hint else None

    def apply_filter(self, text: str) -> str | None:
        """Show only what matches ``text`` (all for the empty text); return what is wrong with it, or None."""
        raise NotImplementedError

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while one types."""
        if event.input is self.filter_line:
            event.stop()
            wrong = self.apply_filter(event.value.strip())
            event.input.set_class(wrong is not None, "-wrong")
            self.host.say(wrong or "", "bad")

    def on_filter_line_left(self, event: FilterLine.Left) -> None:
        """The list takes the focus again."""
        event.stop()
        if self.stops:
            self.stops[0].focus(scroll_visible=False)
        self.host.touch()

    def export(self) -> Export | None:
        """Return what is listed, as plain values; None where there is nothing to export."""
        return None

    def begin_export(self) -> None:
        """Export what is listed (asks for the format)."""
        export = self.export()
        if export is None:
            self.host.say("there is nothing to export")
        else:
            self.host.export(export)

    def held(self) -> Line:
        """Return the note of a view that stands still."""
        notes = [stream.note for stream in self.streams if stream.held]
        return [Span(" ".join(notes), "accent")] if notes else []

    @property
    def stops(self) -> list[Widget]:
        """The lists and pages that take the focus, in order."""
        return [widget for widget in self.walk_children(Widget) if isinstance(widget, Rows | Page) and widget.can_focus]

    @property
    def streams(self) -> "list[Stream[Any]]":
        """The lists that follow the newest."""
        return list(self.walk_children(Stream))

    @property
    def rows(self) -> "Rows[Any] | None":
        """The list that has the focus, or else the first one."""
        lists = list(self.walk_children(Rows))
        return next((rows for rows in lists if rows.has_focus), lists[0] if lists else None)


def dim(rows: "Rows[Any]", old: bool) -> None:
    """Set whether a list is shown as too old, and draw it where that changes."""
    if rows.faded != old:
        rows.faded = old
        rows.refresh()
