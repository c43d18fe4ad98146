"""What every screen has: the application with its right type."""

from typing import TYPE_CHECKING, Any, ClassVar, cast
from weakref import WeakKeyDictionary

from textual.binding import BindingsMap, Keymap
from textual.dom import DOMNode
from textual.events import Idle
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget

from cryptostreamx_tui.widgets.view import TONE_CLASSES

if TYPE_CHECKING:
    from cryptostreamx_tui.app import CryptoStreamX

_MAPPED: WeakKeyDictionary[DOMNode, tuple[Keymap, BindingsMap]] = WeakKeyDictionary()


class Face(Screen[Any]):
    """A screen of this application."""

    AUTO_FOCUS = ""
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    @property
    def host(self) -> "CryptoStreamX":
        """The application."""
        return cast("CryptoStreamX", self.app)

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        """As Textual has it, but a node's keys are looked up in the keymap once, not at every press of a key."""
        focused = self.focused
        nodes = [self, self.app] if focused is None or focused.loading else focused.ancestors_with_self
        chain: list[tuple[DOMNode, BindingsMap]] = []
        for node in nodes:
            keys = self._mapped(node)
            for inner, _ in chain:
                if type(inner).check_consume_key is not Widget.check_consume_key and isinstance(inner, Widget):
                    for key in [
                        key for key in keys.key_to_bindings if inner.check_consume_key(key, key_to_character(key))
                    ]:
                        del keys.key_to_bindings[key]
            chain.append((node, keys))
        return chain

    def _mapped(self, node: DOMNode) -> BindingsMap:
        """Return a copy of a node's bindings with the keymap's keys."""
        keymap = self.app._keymap
        known = _MAPPED.get(node)
        if known is None or known[0] is not keymap:
            keys = node._bindings.copy()
            keys.apply_keymap(keymap)
            known = _MAPPED[node] = (keymap, keys)
        return known[1].copy()

    async def _on_idle(self, _: Idle) -> None:
        """Draw at once what changed.

        Textual waits for the next sixtieth of a second, to spare the terminal what others redraw more often than that;
        our frame clock does so already, and the answer to a key shall not wait. Textual calls this before its own.
        """
        if self._dirty_widgets or self._layout_required or self._repaint_required or self._scroll_required:
            self._on_timer_update()
