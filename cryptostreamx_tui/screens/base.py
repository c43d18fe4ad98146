"""What every screen has: the application with its right type."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.events import Idle
from textual.screen import Screen

from cryptostreamx_tui.widgets.view import TONE_CLASSES

if TYPE_CHECKING:
    from cryptostreamx_tui.app import CryptoStreamX


class Face(Screen[Any]):
    """A screen of this application."""

    AUTO_FOCUS = ""
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    @property
    def host(self) -> "CryptoStreamX":
        """The application."""
        return cast("CryptoStreamX", self.app)

    async def _on_idle(self, _: Idle) -> None:
        """Draw at once what changed.

        Textual waits for the next sixtieth of a second, to spare the terminal what others redraw more often than that;
        our frame clock does so already, and the answer to a key shall not wait. Textual calls this before its own.
        """
        if self._dirty_widgets or self._layout_required or self._repaint_required or self._scroll_required:
            self._on_timer_update()
