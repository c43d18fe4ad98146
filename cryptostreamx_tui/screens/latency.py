"""Latency by stage as a page of its own, drawn again as it changes."""

from typing import ClassVar

from cryptostreamx_tui.details import Detail
from cryptostreamx_tui.format import Line
from cryptostreamx_tui.latency_words import latency_detail
from cryptostreamx_tui.screens.detail import DetailPage, DetailScreen


class LatencyPage(DetailPage):
    """The stages, the clock, and what is measured."""

    topics: ClassVar[tuple[str, ...]] = ("stats",)
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the lines anew."""
        return latency_detail(self.state, self.host.now()).lines(width)


class LatencyScreen(DetailScreen):
    """The page with its heading and keys."""

    def __init__(self) -> None:
        super().__init__(Detail("Latency by stage", ()))

    def page(self) -> LatencyPage:
        """Return a page that follows the state."""
        return LatencyPage(self._detail)
