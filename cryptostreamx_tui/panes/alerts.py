"""What needs a person, with times."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.panes.pane import Pane


class AlertsPane(Pane):
    """What needs a person, with times."""

    key: ClassVar[str] = "alerts"

    def content(self) -> ComposeResult:
        """Nothing yet."""
        yield from ()
