"""What every screen has: the application with its right type."""

from typing import TYPE_CHECKING, Any, cast

from textual.screen import Screen

if TYPE_CHECKING:
    from cryptostreamx_tui.app import CryptoStreamX


class Face(Screen[Any]):
    """A screen of this application."""

    AUTO_FOCUS = ""

    @property
    def host(self) -> "CryptoStreamX":
        """The application."""
        return cast("CryptoStreamX", self.app)
