"""A page of text lines that scrolls: details, help, the checklist, figures."""

from typing import ClassVar

from textual.binding import BindingType
from textual.events import MouseScrollDown, MouseScrollUp
from textual.strip import Strip

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.format import plain
from cryptostreamx_tui.widgets.view import Lines


class Page(Lines, can_focus=True):
    """Lines of any number; keys and wheel move through them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("page")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.top = 0
        """Index of the first line shown."""

    def _last_top(self) -> int:
        return max(0, len(self.current()) - self.size.height)

    def render_line(self, y: int) -> Strip:
        """Draw one line; the last one says how much is below."""
        lines = self.current()
        top = min(self.top, self._last_top())
        width = self.size.width
        index = top + y
        return self.strip(lines[index] if index < len(lines) else [], width)

    def refresh_lines_of(self, changed: list[int]) -> None:  # noqa: ARG002 - where they stand depends on the scrolling
        """Draw all of it."""
        self.refresh()

    @property
    def position(self) -> str:
        """How far one has read, or an empty string where all of it is in sight."""
        total = len(self.current())
        if total <= self.size.height:
            return ""
        return f"lines {min(self.top, self._last_top()) + 1}–{min(total, self.top + self.size.height)} of {total}"

    def text(self) -> str:
        """Return all of it as plain text."""
        return "\n".join(plain(line).rstrip() for line in self.current())

    def _move(self, top: int) -> None:
        self.top = max(0, min(top, self._last_top()))
        self.refresh()
        self.host.touch()

    def action_scroll_lines(self, by: int) -> None:
        """Scroll by lines."""
        self._move(self.top + by)

    def action_scroll_page(self, by: int) -> None:
        """Scroll by pages; a line of the last page stays in sight."""
        self._move(self.top + by * max(1, self.size.height - 1))

    def action_scroll_top(self) -> None:
        """Go to the first line."""
        self._move(0)

    def action_scroll_bottom(self) -> None:
        """Go to the last line."""
        self._move(self._last_top())

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll by the wheel."""
        event.stop()
        self._move(self.top + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll by the wheel."""
        event.stop()
        self._move(self.top - 3)
