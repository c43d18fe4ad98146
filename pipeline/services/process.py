"""One running child process on asyncio: its pipes, its signals, its end.

Knows nothing of states, restarts and other services. The process leads a session and a process group of its own: a
Ctrl+C in the terminal does not reach it, and what it starts in its turn is signalled with it.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Protocol, cast

import msgspec

from pipeline.events import Command
from pipeline.services.lines import LineSplitter

_DRAIN = 1.0
"""Seconds that are left for reading what a process has written, once it has exited."""
_COMMAND_BACKLOG = 1024 * 1024
"""Bytes of commands that may wait for a child that does not read them."""

_encoder = msgspec.json.Encoder()


class Watcher(Protocol):
    """Whoever wants to know what the process does. Called in the event loop."""

    def line(self, line: bytes, dropped: int) -> None:
        """One line of standard output; ``dropped`` is how many of its bytes were given up for its length."""

    def exited(self, code: int) -> None:
        """The process is gone, and its output is read. ``code`` is negative for a signal. Comes once, last."""


class ChildProcess(asyncio.SubprocessProtocol):
    """One process, from ``start`` to ``Watcher.exited``."""

    # Not asyncio.subprocess.Process: its wait() ends only when the pipes are closed too (until Python 3.13), and a
    # grandchild may hold them open. Here the loop reads at most one pipe's worth from a child before it serves others.

    def __init__(self, watcher: Watcher) -> None:
        self.pid: int | None = None
        self._watcher = watcher
        self._lines = LineSplitter()
        self._transport: asyncio.SubprocessTransport | None = None
        self._output_open = False
        self._ended = False

    async def start(
        self, command: tuple[str, ...], environment: Mapping[str, str], log_fd: int, *, piped: bool
    ) -> None:
        """Start the process; the watcher may be called before this returns.

        ``piped``: standard input and output are ours, else the output goes to the log too.

        Raises:
            OSError: it cannot be started.
            ValueError: a NUL byte stands in the command or the environment.
        """
        await asyncio.get_running_loop().subprocess_exec(
            lambda: self,
            *command,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else log_fd,
            stderr=log_fd,
            env=dict(environment),
            start_new_session=True,
        )

    def send(self, command: Command) -> bool:
        """Write a command to standard input; False if there is nobody to read it."""
        pipe = self._transport.get_pipe_transport(0) if self._transport and not self._ended else None
        if not isinstance(pipe, asyncio.WriteTransport) or pipe.is_closing():
            return False
        if pipe.get_write_buffer_size() > _COMMAND_BACKLOG:
            return False
        pipe.write(_encoder.encode(command) + b"\n")
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all of its group."""
        if self.pid is None:
            return
        # Gone already: its exit is on its way to us. macOS says EPERM of a group in which only zombies are left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    # ------------------------------------------------------------ called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid()
        self._output_open = self._transport.get_pipe_transport(1) is not None

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - only one pipe is read
        """See asyncio."""
        for line, dropped in self._lines.feed(data):
            self._watcher.line(line, dropped)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - lost is lost
        """See asyncio."""
        if fd != 1:
            return
        self._output_open = False
        if rest := self._lines.end():
            self._watcher.line(*rest)
        if self._code is not None:
            self._end()

    def process_exited(self) -> None:
        """See asyncio."""
        self.signal(signal.SIGKILL)  # what it started and left behind
        if self._output_open:
            asyncio.get_running_loop().call_later(_DRAIN, self._end)
        else:
            self._end()

    @property
    def _code(self) -> int | None:
        return self._transport.get_returncode() if self._transport else None

    def _end(self) -> None:
        if self._ended:
            return
        code = self._code
        assert code is not None
        self._ended = True
        assert self._transport is not None
        self._transport.close()
        self._watcher.exited(code)


def signal_name(code: int) -> str:
    """Return the name of the signal that ended a process with this negative exit code."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
