"""The filter line of a pane: typed text narrows what is shown at once; what is wrong with it stands beside it."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.widgets.plain_input import PlainInput

HINT = "filter"


class FilterLine(PlainInput):
    """One line, there only while it is used or holds something."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("filter")

    class Left(Message):
        """The person is done with it; the list takes the focus again."""

    def __init__(self, hint: str = HINT) -> None:
        super().__init__(placeholder=hint, classes="filter")
        self.display = False

    def show(self) -> None:
        """Show it, and take the focus."""
        self.display = True
        self.focus(scroll_visible=False)

    def hide(self) -> None:
        """Empty it and take no more room."""
        self.value = ""
        self.display = False

    def action_keep(self) -> None:
        """Keep what is typed; an empty filter is none."""
        self.display = bool(self.value)
        self.post_message(self.Left())

    def action_clear(self) -> None:
        """Show everything again."""
        self.hide()
        self.post_message(self.Left())
