"""The application in a real pseudo-terminal, of 80x24 unless another size is asked for, as its user sees it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The child leads a session whose controlling terminal is the pseudo-terminal, as a shell's child would.
IN_TERMINAL = "import os, sys, fcntl, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
RUN = IN_TERMINAL + "os.execv(sys.executable, [sys.executable, '-m', *sys.argv[1:]])"
KEPT = 200_000
"""Bytes of output that are searched."""


class Terminal:
    """A thread reads what is drawn, so that the application never waits for it."""

    def __init__(
        self, *flags: str, module: str = "cryptostreamx_tui", size: tuple[int, int] = (80, 24), **environment: str
    ) -> None:
        """``size`` is columns and rows."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, module, *flags],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", **environment},
        )
        os.close(slave)
        self._arrived = threading.Condition()
        self._output = b""
        self._closing = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._closing and self.process.poll() is None:
            if not select.select([self._master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # the application has closed its side
                return
            with self._arrived:
                self._output = (self._output + data)[-KEPT:]
                self._arrived.notify_all()

    def press(self, key: bytes) -> None:
        """Press a key; what was drawn before is not searched any more."""
        with self._arrived:
            self._output = b""
        os.write(self._master, key)

    @property
    def drawn(self) -> bytes:
        """What was drawn since the last key (the end of it, where that is a lot)."""
        with self._arrived:
            return self._output

    def seen(self, wanted: bytes, seconds: float) -> bool:
        """Wait until ``wanted`` has been drawn; tell whether it has."""
        with self._arrived:
            return self._arrived.wait_for(lambda: wanted in self._output, seconds)

    def go_away(self) -> None:
        """Close the window."""
        self._closing = True
        self._reader.join()
        os.close(self._master)

    def close(self) -> None:
        """End what is left of it."""
        self.process.kill()
        self.process.wait()
