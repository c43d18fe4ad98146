"""One thing, whole: a trade, a window, a log line, a dead letter, a service."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.details import Detail
from cryptostreamx_tui.format import Line, Span
from cryptostreamx_tui.screens.base import Face
from cryptostreamx_tui.widgets.bars import Footer, attached_words, feed_words, spread
from cryptostreamx_tui.widgets.page import Page
from cryptostreamx_tui.widgets.view import Lines


class Heading(Lines):
    """What is shown, how far one has read, and where the feed comes from."""

    topics: ClassVar[tuple[str, ...]] = ("view", "stats")
    ages: ClassVar[bool] = True

    def __init__(self, title: str) -> None:
        super().__init__(classes="heading")
        self._title = title

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line."""
        position = self.screen.query_one(Page).position
        right = [
            Span(f"{position}  ", "dim"),
            feed_words(self.state, self.host.now()),
            *attached_words(self.state),
            Span(" "),
        ]
        return [spread([Span(" " + self._title, "strong")], right, width)]


class DetailPage(Page):
    """The sections."""

    def __init__(self, detail: Detail) -> None:
        super().__init__(id="detail")
        self._detail = detail

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the lines."""
        return self._detail.lines(width)


class DetailScreen(Face):
    """A page of sections."""

    AUTO_FOCUS = "Page"
    BINDINGS: ClassVar[list[BindingType]] = bindings("detail")

    def __init__(self, detail: Detail) -> None:
        super().__init__()
        self._detail = detail

    def compose(self) -> ComposeResult:
        """Heading, page, keys."""
        yield Heading(self._detail.title)
        yield self.page()
        yield Footer(("detail", "app"), id="footer")

    def page(self) -> DetailPage:
        """Return what is shown below the heading."""
        return DetailPage(self._detail)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the whole page."""
        self.host.copy(self.query_one(Page).text())
