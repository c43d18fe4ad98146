"""SQL against ClickHouse."""

from typing import ClassVar

from textual.app import ComposeResult

from cryptostreamx_tui.panes.pane import Pane


class QueryPane(Pane):
    """SQL against ClickHouse."""

    key: ClassVar[str] = "query"

    def content(self) -> ComposeResult:
        """Nothing yet."""
        yield from ()
