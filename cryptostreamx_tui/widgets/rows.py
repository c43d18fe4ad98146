"""A list drawn row by row (line API): only what is in sight is ever made, whatever the list's length.

``Rows`` is the base: columns, header, cursor, keys, wheel. ``Stream`` follows a ring with the newest item on top and
stands still as soon as a row is selected: rows never move under the cursor, and what arrives meanwhile is counted.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.style import Style
from textual.binding import BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.message import Message
from textual.strip import Strip

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.details import Detail
from cryptostreamx_tui.format import Span
from cryptostreamx_tui.ring import Ring
from cryptostreamx_tui.widgets.columns import Column, Layout
from cryptostreamx_tui.widgets.view import View

T = TypeVar("T")
CACHED = 512


class Rows(View, Generic[T], can_focus=True):
    """A list with a cursor. Subclasses give ``total`` and ``item``."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("rows")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor", "rows--cursor-blurred"}

    class Opened(Message):
        """A person wants to see a row whole."""

        def __init__(self, detail: Detail) -> None:
            self.detail = detail
            super().__init__()

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        empty: str = "nothing yet",
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.columns = columns
        self.empty = empty
        """What stands there while there are no rows."""
        self.cursor: int | None = None
        """Index of the selected row, from the top; None where none is."""
        self.top = 0
        self.shift = 0
        self.faded = False
        """Whether the data is too old to be shown as live."""
        self._columns_fit: Layout[T] | None = None

    # ------------------------------------------------------------ what is shown

    def total(self) -> int:
        """Return the number of rows."""
        raise NotImplementedError

    def item(self, index: int) -> T:
        """Return a row, counted from the top."""
        raise NotImplementedError

    @property
    def selected(self) -> T | None:
        """The selected row; without a cursor the first one; None where there is none."""
        total = self.total()
        if not total:
            return None
        return self.item(min(self.cursor or 0, total - 1))

    @property
    def body_height(self) -> int:
        """Rows in sight."""
        return max(1, self.size.height - 1)

    def table(self) -> Layout[T]:
        """Return the columns as they fit now."""
        made = self._columns_fit
        widths = tuple(column.width for column in self.columns)
        if made is None or (made.made_of, made.width) != (widths, self.size.width):
            made = self._columns_fit = Layout(self.columns, self.size.width, self.shift)
            self.shift = made.shift
        return made

    def redraw(self) -> None:
        """Draw anew."""
        self.refresh()

    def on_resize(self, _: Resize) -> None:
        """What was in sight stays in sight."""
        self._show_cursor()

    def render_line(self, y: int) -> Strip:
        """Draw the header or one row."""
        width = self.size.width
        if y == 0:
            return self.strip(self.table().head(), width)
        index = self.top + y - 1
        total = self.total()
        if index >= total:
            return self.strip([Span("  " + self.empty, "dim")] if not total and y == 1 else [], width)
        return self.row_strip(index, index == self.cursor, width)

    def row_strip(self, index: int, selected: bool, width: int) -> Strip:
        """Return one row, drawn."""
        over = Style(dim=True) if self.faded else None
        if selected:
            name = "rows--cursor" if self.has_focus else "rows--cursor-blurred"
            found = self.get_component_rich_style(name)
            background = Style(bgcolor=found.bgcolor, reverse=found.reverse)
            over = background if over is None else over + background
        table = self.table()
        strip = self.strip(table.row(self.item(index), "›" if selected else " "), width, over)
        if self.table() is not table:
            self.call_later(self.refresh)  # this row made a column wider: those drawn before it must follow
        return strip

    def text(self, item: T) -> str:
        """Return all of a row's columns as text, separated by tabs."""
        return "\t".join(column.text(item) for column in self.columns)

    def detail(self, item: T) -> Detail:
        """Return everything known of a row."""
        raise NotImplementedError

    # ------------------------------------------------------------ moving

    def _show_cursor(self) -> None:
        last_top = max(0, self.total() - self.body_height)
        if self.cursor is not None:
            self.top = max(min(self.top, self.cursor), self.cursor - self.body_height + 1)
        self.top = max(0, min(self.top, last_top))
        self.refresh()
        self.host.touch()

    def select(self, index: int) -> None:
        """Put the cursor on a row."""
        total = self.total()
        self.cursor = max(0, min(index, total - 1)) if total else None
        self._show_cursor()

    def action_cursor(self, by: int) -> None:
        """Move the cursor; the first press shows it."""
        self.select(0 if self.cursor is None else self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.select((self.cursor or 0) + by * max(1, self.body_height - 1))

    def action_first(self) -> None:
        """Go to the first row."""
        self.select(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self.select(self.total() - 1)

    def action_shift(self, by: int) -> None:
        """Shift the columns that do not stay."""
        table = self.table()
        if (by > 0 and table.hidden_right) or (by < 0 and table.hidden_left):
            self.shift += by
            self._columns_fit = None
            self.refresh()

    def action_open(self) -> None:
        """Open the selected row."""
        if self.cursor is None:
            self.action_cursor(1)
        item = self.selected
        if item is not None:
            self.post_message(self.Opened(self.detail(item)))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move by the wheel."""
        event.stop()
        self.action_cursor(3 if self.cursor is not None else 1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move by the wheel."""
        event.stop()
        if self.cursor is not None:
            self.action_cursor(-3)

    def on_click(self, event: Click) -> None:
        """Select the clicked row; a second click on it opens it."""
        index = self.top + event.y - 1
        if event.y < 1 or index >= self.total():
            return
        if index == self.cursor and event.chain > 1:
            self.action_open()
        else:
            self.select(index)


class Stream(Rows[T]):
    """A ring, newest on top. Selecting a row holds the view; ``follow`` goes back to the newest."""

    def __init__(
        self,
        ring: Callable[[], Ring[T]],
        columns: Sequence[Column[T]],
        *,
        empty: str = "nothing yet",
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(columns, empty=empty, id=id)
        self._ring = ring
        self._only: Callable[[T], bool] | None = None
        self._matching: Ring[T] | None = None
        self._matched: tuple[int, int] = (0, 0)
        self._held: list[T] | None = None
        self._held_end = 0
        self._strips: dict[int, Strip] = {}
        self._strips_for: tuple[object, ...] = ()

    @property
    def only(self) -> Callable[[T], bool] | None:
        """Shows only what this is true for; None shows everything. Setting it goes back to the newest."""
        return self._only

    @only.setter
    def only(self, matches: Callable[[T], bool] | None) -> None:
        self._only = matches
        self.forget()
        self.follow()

    def forget(self) -> None:
        """Look at and draw every row anew: they show something else now, and a new ring may have an old one's id."""
        self._matching = None
        self._strips.clear()
        self.refresh()

    def source(self) -> Ring[T]:
        """Return the ring that is shown: all items, or those that match. Each item is looked at once."""
        ring = self._ring()
        if self._only is None:
            return ring
        kept, (ring_id, seen) = self._matching, self._matched
        if kept is None or ring_id != id(ring):
            kept, seen = Ring(ring.size), 0
        if ring.end > seen:
            matching = [item for item in ring.last(ring.end - seen) if self._only(item)]
            kept.extend(matching, len(matching))
        self._matching, self._matched = kept, (id(ring), ring.end)
        return kept

    @property
    def held(self) -> bool:
        """Whether the view stands still."""
        return self._held is not None

    @property
    def missed(self) -> int:
        """Items (of those that match) that arrived since the view stands still."""
        return max(0, self.source().end - self._held_end) if self.held else 0

    @property
    def note(self) -> str:
        """``❄ +1,234`` while the view stands still, else an empty string."""
        return f"❄ +{self.missed:,}" if self.held else ""

    def total(self) -> int:
        """Return the number of rows."""
        return len(self.source()) if self._held is None else len(self._held)

    def item(self, index: int) -> T:
        """Return a row, counted from the newest."""
        return self.source().newest(index) if self._held is None else self._held[-1 - index]

    def row_strip(self, index: int, selected: bool, width: int) -> Strip:
        """Return one row, drawn; rows that were drawn before are not drawn again."""
        if selected:
            return super().row_strip(index, selected, width)
        ring = self.source()
        wanted = (id(ring), width, self.shift, self.faded, self.table().made_of, self.tone(""), self.tone("dim"))
        if wanted != self._strips_for or len(self._strips) > CACHED:
            self._strips.clear()
            self._strips_for = wanted
        number = (ring.end if self._held is None else self._held_end) - 1 - index
        strip = self._strips.get(number)
        if strip is None:
            strip = self._strips[number] = super().row_strip(index, selected, width)
        return strip

    def redraw(self) -> None:
        """Draw anew, unless the view stands still."""
        if not self.held:
            self.refresh()

    def hold(self) -> None:
        """Let the view stand still. What is held is kept whole, however much arrives."""
        if self._held is None:
            ring = self.source()
            self._held, self._held_end = ring.snapshot(), ring.end

    def follow(self) -> None:
        """Go back to the newest and move with it."""
        self._held = None
        self.cursor = None
        self.top = 0
        self.refresh()
        self.host.touch()

    def select(self, index: int) -> None:
        """Put the cursor on a row; moving above the first one follows the newest again."""
        if index < 0:
            self.follow()
            return
        self.hold()
        super().select(index)

    def action_first(self) -> None:
        """Follow the newest."""
        self.follow()
