"""The home folder: where an instance keeps its logs, its servers' data and its run files, and its lock."""

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO


class HomeInUseError(RuntimeError):
    """Another instance runs in this home."""

    def __init__(self, path: Path, pid: str) -> None:
        super().__init__(f"another instance (pid {pid or 'unknown'}) runs in {path}; quit it, or choose another --home")


class WrongFeedError(RuntimeError):
    """The home holds trades of another kind of feed, and they would be mixed."""

    def __init__(self, path: Path, held: str, asked: str) -> None:
        super().__init__(
            f"{path} holds trades of the {held} feed; {asked} trades would be mixed with them: choose another --home"
        )


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below a home folder. ``create`` makes the folders; ``lock`` keeps a second instance out."""

    path: Path

    @property
    def logs(self) -> Path:
        """Log files, one a service, rotated."""
        return self.path / "logs"

    @property
    def data(self) -> Path:
        """The servers' data, a folder each."""
        return self.path / "data"

    @property
    def run(self) -> Path:
        """Generated configuration, the lock, what must not outlive the data."""
        return self.path / "run"

    @property
    def exports(self) -> Path:
        """What a person exported or copied; made when it is first needed."""
        return self.path / "exports"

    @property
    def symbols(self) -> Path:
        """A person's choice of symbols, for the next start (``pipeline.choice``)."""
        return self.run / "symbols.json"

    @property
    def run_id(self) -> str:
        """The mark by which the processes of this home are found: the same for every run in it."""
        return hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]

    def create(self) -> None:
        """Make the folders, readable by the user alone.

        Raises:
            OSError: they cannot be made.
        """
        for path in (self.path, self.logs, self.data, self.run):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lock(self) -> IO[str]:
        """Take the home for this process, as long as the returned file stays open (the kernel lets go at any death).

        Raises:
            HomeInUseError: another process holds it.
        """
        file = (self.run / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip()
            file.close()
            raise HomeInUseError(self.path, pid) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def claim(self, feed: str) -> None:
        """Bind this home to a kind of feed (``live``, ``simulated`` or ``recorded``) for good.

        Simulated trades carry real symbols: in one table with live ones nobody could tell them apart again.

        Raises:
            WrongFeedError: it holds another kind already.
        """
        marker = self.data / "feed"
        if marker.exists():
            held = marker.read_text(encoding="utf-8").strip()
            if held != feed:
                raise WrongFeedError(self.path, held, feed)
        else:
            marker.write_text(feed + "\n", encoding="utf-8")
