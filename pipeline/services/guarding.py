"""The application's side of the guard: starts it, keeps it, dismisses it. See ``guard.py`` for the other side."""

import asyncio
import contextlib
import subprocess

from pipeline.services.guard import DONE
from pipeline.services.python import python_command, python_environment
from pipeline.services.service import base_environment

_PATIENCE = 5.0


class Guard:
    """The guard process of this instance."""

    def __init__(self, run_id: str, instance: str) -> None:
        self._arguments = (run_id, instance)
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the living guard."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def keep(self) -> None:
        """Start the guard if there is none, or none any more.

        Raises:
            OSError: it cannot be started.
        """
        async with self._starting:  # two starts at once would make two guards
            if self.pid is not None:
                return
            # It carries no marks, so that it is no leftover itself. What it has to say, it does.
            self._process = await asyncio.create_subprocess_exec(
                *python_command("pipeline.services.guard", *self._arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**base_environment(), **python_environment()},
                start_new_session=True,
            )

    async def dismiss(self) -> None:
        """Tell the guard that all is in order, and wait for its end."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it is gone already
            process.stdin.write(DONE + b"\n")
            await process.stdin.drain()
        process.stdin.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
