"""The application in a real pseudo-terminal: what happens to it from outside."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The child becomes the leader of a session whose controlling terminal is the pseudo-terminal.
IN_TERMINAL = "import os, sys, fcntl, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
DEMO = IN_TERMINAL + "os.execv(sys.executable, [sys.executable, '-m', 'tests.tui.demo', '--story', 'live'])"


def read_until(master: int, wanted: bytes, seconds: float) -> bytes:
    """Read the terminal's output until ``wanted`` is in it."""
    seen = b""
    deadline = time.monotonic() + seconds
    while wanted not in seen:
        left = deadline - time.monotonic()
        assert left > 0, f"{wanted!r} did not come; the end of what did: {seen[-500:]!r}"
        if select.select([master], [], [], left)[0]:
            seen += os.read(master, 65_536)
    return seen


@pytest.mark.timeout(60)
def test_a_terminal_that_goes_away_ends_it_in_order() -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", DEMO], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT)
    try:
        os.close(slave)
        read_until(master, b"BTCUSDT", 30)
        os.close(master)
        process.wait(20)
    finally:
        process.kill()
        process.wait()
