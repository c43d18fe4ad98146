"""What every screen has: the application with its right type."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

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
