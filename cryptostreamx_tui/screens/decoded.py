"""A page about bytes that are decoded when it is opened: it is there at once, the decoded text follows."""

from collections.abc import Callable

from cryptostreamx_tui.details import Detail
from cryptostreamx_tui.format import Line
from cryptostreamx_tui.screens.detail import DetailPage, DetailScreen
from pipeline.schemas.decode import HEX, Decoded, Decoder
from pipeline.text import clean

Make = Callable[[tuple[Decoded, Decoded] | None], Detail]
"""Key and value as they read (None: not yet) → the page."""


class DecodedPage(DetailPage):
    """The sections, and the decoded key and value as soon as they are known."""

    def __init__(self, make: Make, key: bytes | None, value: bytes | None) -> None:
        super().__init__(make(None))
        self._make, self._key, self._value = make, key, value

    def on_mount(self) -> None:
        """Have them decoded."""
        super().on_mount()
        self.run_worker(self._decode(), exit_on_error=True)

    async def _decode(self) -> None:
        desk = self.host.stack.desk
        try:
            if desk is None:
                why = "the registry's address is not known yet"
                decoded = _undecoded(self._key, why), _undecoded(self._value, why)
            else:
                decoded = await desk.decode(self._key, self._value)
        except Exception as error:  # noqa: BLE001 - whatever it is, it stands where the text would
            why = clean(f"{type(error).__name__}: {error}")
            decoded = _undecoded(self._key, why), _undecoded(self._value, why)
        self._detail = self._make(decoded)
        self.redraw()
        self.host.touch()

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the lines."""
        return self._detail.lines(width)


class DecodedScreen(DetailScreen):
    """A page of sections about a key and a value."""

    def __init__(self, make: Make, key: bytes | None, value: bytes | None) -> None:
        super().__init__(make(None))
        self._decoding = make, key, value

    def page(self) -> DetailPage:
        """Return what is shown below the heading."""
        return DecodedPage(*self._decoding)


_without_registry = Decoder(None)


def _undecoded(data: bytes | None, why: str) -> Decoded:
    """Return what is seen without the registry."""
    found = _without_registry.value(data)
    return Decoded(HEX, found.line, found.text, found.schema_id, note=why) if found.how == HEX else found
