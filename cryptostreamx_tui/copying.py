"""Copying: to the terminal's clipboard by OSC 52, and into a file, as nobody can know whether the terminal took it."""

import asyncio
from typing import TYPE_CHECKING

from cryptostreamx_tui.export import write
from pipeline.home import Home

if TYPE_CHECKING:
    from cryptostreamx_tui.app import CryptoStreamX

COPIED = "copied.txt"
CLIPBOARD_BYTES = 56_000
"""Terminals take about 75,000 characters of base64 in OSC 52; of more, many take nothing."""


class Copies:
    """What was copied last."""

    def __init__(self, app: "CryptoStreamX") -> None:
        self._app = app
        self._copied = b""
        self._writing = asyncio.Lock()

    def copy(self, text: str) -> None:
        """Copy ``text``, and say where it is."""
        content = self._copied = text.encode("utf-8", "backslashreplace")
        self._app.command(self._write(), f"write {COPIED}")
        if len(content) > CLIPBOARD_BYTES:
            self._app.say(f"{len(text):,} characters, too many for a terminal's clipboard: in exports/{COPIED}", "warn")
            return
        self._app.copy_to_clipboard(content.decode())
        self._app.say(f"copied {len(text):,} characters; also in exports/{COPIED}")

    async def _write(self) -> None:
        async with self._writing:  # one after the other, so that the last one stands in the file
            path = Home(self._app.stack.settings.home).exports / COPIED
            await asyncio.to_thread(write, path, self._copied)
