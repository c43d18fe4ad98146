"""What the panes have in common: a name, a title line, the lists that take the focus, something to copy."""

from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from cryptostreamx_tui.actions import PANES
from cryptostreamx_tui.format import Line, Span, plain
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import spread
from cryptostreamx_tui.widgets.rows import Rows, Stream
from cryptostreamx_tui.widgets.view import Lines


class Title(Lines):
    """A pane's title line, where several panes are in sight."""

    topics: ClassVar[tuple[str, ...]] = ("view", "trades", "dead", "log", "windows")
    ages: ClassVar[bool] = True

    def __init__(self, pane: "Pane") -> None:
        super().__init__(classes="title")
        self._pane = pane

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line: title, what there is to say, the letter that leads here."""
        title, letter, _ = PANES[self._pane.key]
        action = f"screen.pane('{self._pane.key}')"
        here = self._pane.has_class("-current")
        left: Line = [Span(f" {title} ", "tab" if here else "title", action)]
        facts = self._pane.facts(self.state, self.host.now())
        hint = [Span(f" {letter} ", "dim", action)]
        line = spread([*left, Span(" "), *facts], hint, width)
        return [line if cell_len(plain(line)) <= width else left]


class Pane(Vertical):
    """One subject on the main screen."""

    key: ClassVar[str]
    """Its name in ``actions.PANES``."""

    def compose(self) -> ComposeResult:
        """Title, then the content."""
        yield Title(self)
        yield from self.content()

    def content(self) -> ComposeResult:
        """Yield what the pane is made of."""
        raise NotImplementedError

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002 - for those that have something to say
        """Return what stands beside the title: counts, freezing, staleness."""
        return self.held()

    def fade(self, state: State, now: int) -> None:
        """Dim what is too old to be shown as live."""

    def held(self) -> Line:
        """Return the note of a view that stands still."""
        notes = [stream.note for stream in self.streams if stream.held]
        return [Span(" ".join(notes), "accent")] if notes else []

    @property
    def stops(self) -> list[Widget]:
        """The lists and pages that take the focus, in order."""
        return [widget for widget in self.query("Rows, Page").results(Widget) if widget.can_focus]

    @property
    def streams(self) -> "list[Stream[Any]]":
        """The lists that follow the newest."""
        return list(self.query(Stream))

    @property
    def rows(self) -> "Rows[Any] | None":
        """The list that has the focus, or else the first one."""
        lists = list(self.query(Rows))
        return next((rows for rows in lists if rows.has_focus), lists[0] if lists else None)


def dim(rows: "Rows[Any]", old: bool) -> None:
    """Set whether a list is shown as too old, and draw it where that changes."""
    if rows.faded != old:
        rows.faded = old
        rows.refresh()
