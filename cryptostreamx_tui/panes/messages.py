"""The records of any topic."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.panes.pane import Pane


class MessagesPane(Pane):
    """The records of any topic."""

    key: ClassVar[str] = "messages"

    def content(self) -> ComposeResult:
        """Nothing yet."""
        yield from ()
