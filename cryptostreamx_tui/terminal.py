"""Textual's driver for a terminal that may be closed while the application runs.

Textual's own ends its writing thread at the first write to a terminal that is gone, and everything that is drawn after
that waits for that thread for ever; its reading thread reports a crash. Here writing goes on into the void, and the
loss becomes the signal that says so, SIGHUP, so that the pipeline is stopped in order.
"""

import contextlib
import os
import signal
from typing import IO, TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


class _Terminal:
    """The terminal's file, as far as the writing thread uses it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write; a terminal that is gone takes everything."""
        with contextlib.suppress(OSError):  # the reading thread tells of it
            self._file.write(text)

    def flush(self) -> None:
        """Flush; a terminal that is gone takes everything."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """Return the file's descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._file.isatty()


class TerminalDriver(LinuxDriver):
    """``LinuxDriver``, except for what it does when the terminal is gone."""

    def __init__(self, app: "App[Any]", **options: Any) -> None:
        super().__init__(app, **options)
        self._file = _Terminal(self._file)  # type: ignore[assignment, arg-type] # all of a file that is asked for

    def run_input_thread(self) -> None:
        """Read until the end; when the terminal is gone, say so by the signal for it."""
        try:
            super().run_input_thread()
        except OSError:
            os.kill(os.getpid(), signal.SIGHUP)
