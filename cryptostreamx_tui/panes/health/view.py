"""What the views of the health pane have in common: a heading with age and error, a filter, an export, a service.

Each view is a list over what the state knows. Old data is dimmed and says STALE; the error of the newest look stands
in the heading, in the server's words, beside what was seen before.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical

from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import UNKNOWN, Line, Span, duration, fit, safe
from cryptostreamx_tui.widgets.bars import spread
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.rows import Rows
from cryptostreamx_tui.widgets.view import Lines, View

T = TypeVar("T")


class Seen(View):
    """What the pane asks of a view."""

    key: ClassVar[str]
    """Its name in the bar of views."""
    heading: ClassVar[str]

    def seen_age(self, now: int) -> int | None:  # noqa: ARG002 - for those whose data has one age
        """Return the age of what is shown, in ms; None where it is unknown, or each row has its own."""
        return None

    def stale(self, now: int) -> bool:  # noqa: ARG002
        """Tell whether that is too old to be the present."""
        return False

    def trouble(self) -> str | None:
        """Return why the newest look failed; None where it did not."""
        return None

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """Return what stands beside the heading."""
        return []

    def wanted_height(self, width: int) -> int:
        """Return the lines it needs to show everything, its heading apart."""
        raise NotImplementedError

    def service(self) -> str | None:
        """Return the service that the selected row stands for; None where there is none."""
        return None

    def export(self) -> Export | None:
        """Return what is listed; None where that is no list."""
        return None


class Listing(Rows[T], Seen, Generic[T]):
    """A list with a filter by name. The cursor stays on its item, whatever comes before it."""

    ages: ClassVar[bool] = True
    fields: ClassVar[tuple[str, ...]]
    """Names of the exported columns."""

    def __init__(self, columns: Sequence[Column[T]], *, empty: str) -> None:
        super().__init__(columns, empty=empty, id=f"health-{self.key}")
        self._only = ""
        self._nothing = empty
        self._items: list[T] = []
        self._made_for: tuple[int, str] | None = None
        self._kept: str | None = None

    # ------------------------------------------------------------ for the views

    def everything(self) -> Iterable[T]:
        """Return all items in their order."""
        raise NotImplementedError

    def label(self, item: T) -> str:
        """Return the item's name: for the filter, and for the cursor to find it again."""
        raise NotImplementedError

    def values(self, item: T) -> tuple[Any, ...]:
        """Return the exported values of a row, in the order of ``fields``."""
        raise NotImplementedError

    def export_rows(self) -> list[tuple[Any, ...]]:
        """Return the exported rows: one a listed item, unless a view has more to tell of each."""
        return [self.values(item) for item in self.items()]

    def service_of(self, item: T) -> str | None:  # noqa: ARG002 - for those that have one
        """Return the name of the service behind an item."""
        return None

    # ------------------------------------------------------------ the list

    def items(self) -> list[T]:
        """Return what is listed."""
        stamp = (sum(self.state.revision[topic] for topic in self.topics), self._only)
        if stamp != self._made_for:
            self._made_for = stamp
            only = self._only.casefold()
            self._items = [item for item in self.everything() if only in self.label(item).casefold()]
            if self.cursor is not None:
                labels = [self.label(item) for item in self._items]
                self.cursor = labels.index(self._kept) if self._kept in labels else self.cursor
        return self._items

    def total(self) -> int:
        """Return how many are listed."""
        return len(self.items())

    def item(self, index: int) -> T:
        """Return one."""
        return self.items()[index]

    def select(self, index: int) -> None:
        """Put the cursor on a row, and remember what stands there."""
        super().select(index)
        self._kept = None if self.selected is None else self.label(self.selected)

    def only(self, text: str) -> None:
        """List only what has ``text`` in its name."""
        self._only = text
        self.empty = f"nothing here has {safe(text, 60)!r} in its name" if text else self._nothing
        self.cursor = None
        self.top = 0
        self.refresh()

    def redraw(self) -> None:
        """Draw anew, dimmed where it is old."""
        self.faded = self.stale(self.host.now())
        super().redraw()

    def wanted_height(self, width: int) -> int:  # noqa: ARG002 - a row is a line
        """As high as there are rows, and the header."""
        return max(1, self.total()) + 1

    def service(self) -> str | None:
        """Return the service behind the selected row, if this application runs it."""
        item = self.selected
        name = None if item is None else self.service_of(item)
        return name if name in self.state.services else None

    def export(self) -> Export | None:
        """Return the listed rows as plain values."""
        rows = self.export_rows()
        return Export(f"health-{self.key}", self.fields, rows) if rows else None


class SeenPage(Page, Seen):
    """A view that is a page of lines."""

    def wanted_height(self, width: int) -> int:
        """As high as it has lines."""
        return len(self.lines(width, 0))


class Heading(Lines):
    """A view's heading: what it is, what there is to say, how old it is; below it why the newest look failed."""

    topics: ClassVar[tuple[str, ...]] = ("inventory", "cluster", "services", "stats", "view")
    ages: ClassVar[bool] = True

    def __init__(self, view: Seen) -> None:
        super().__init__(classes="heading")
        self._view = view

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line, or two
        """Make the lines."""
        view, now = self._view, self.host.now()
        here = view.has_focus
        left: Line = [Span(f" {view.heading} ", "strong" if here else "title"), Span(" "), *view.facts(now)]
        trouble = view.trouble()
        lines = [spread(left, self._age(now, failing=trouble is not None), width)]
        if trouble is not None:
            lines.append([Span(fit(f"   ✗ {safe(trouble)}", width), "bad")])
        return lines

    def _age(self, now: int, *, failing: bool) -> Line:
        age = self._view.seen_age(now)
        if age is None:
            return [Span(f"{UNKNOWN} ", "bad")] if failing else []
        if self._view.stale(now):
            return [Span(f"STALE {duration(age)} ", "warn")]
        return [Span(f"{duration(age)} ago ", "dim")]


class Section(Vertical):
    """A heading above its view."""

    def __init__(self, view: Seen) -> None:
        super().__init__(id=f"section-{view.key}")
        self.view = view
        self._heading = Heading(view)

    def compose(self) -> ComposeResult:
        """Heading, view."""
        yield self._heading
        yield self.view

    def wanted_height(self, width: int) -> int:
        """Return the lines that both need."""
        return self.settle() + self.view.wanted_height(width)

    def settle(self) -> int:
        """Give the heading a second line where there is an error to tell; return its lines."""
        lines = 1 if self.view.trouble() is None else 2
        if self._heading.styles.height is None or self._heading.styles.height.value != lines:
            self._heading.styles.height = lines
        return lines


class ViewBar(Lines):
    """The names of the views; a click shows one."""

    topics: ClassVar[tuple[str, ...]] = ("view", "inventory", "services")
    ages: ClassVar[bool] = True

    def __init__(self, views: Sequence[Seen], here: Callable[[], str], show: Callable[[str], None]) -> None:
        """``here`` tells which view the pane's keys are for, ``show`` shows another one."""
        super().__init__(id="health-views")
        self._views, self._here, self._show = views, here, show

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line; a view whose newest look failed is marked."""
        here = self._here()
        line: Line = []
        for view in self._views:
            bad = view.trouble() is not None
            tone = "tab" if view.key == here else "bad" if bad else "dim"
            line.append(Span(f" {view.key}{'!' if bad else ''}", tone, f"show('{view.key}')"))
        return [line]

    def action_show(self, key: str) -> None:
        """Show a view."""
        self._show(key)
