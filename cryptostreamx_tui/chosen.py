"""What the screen remembers for its next start: the theme chosen in it. A small file of its own in the state folder.

The configuration is a person's own and is never written. It wins again as soon as another theme is written there than
stood there when the choice was made.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from cryptostreamx_tui.export import write
from pipeline.settings import APP


class Kept(msgspec.Struct, frozen=True):
    """The file's content."""

    theme: str
    configured: str
    """What the configuration said then."""


def default_place() -> Path:
    """Return where the choice of this user is kept, whatever the home."""
    return Path(platformdirs.user_state_dir(APP)) / "screen.json"


@dataclass(frozen=True, slots=True)
class ChosenTheme:
    """The theme to begin with, and where another choice is kept (nowhere without a path)."""

    configured: str
    path: Path | None = None

    def name(self) -> str:
        """Return the theme's name as it was chosen or configured. A file that cannot be read counts for nothing."""
        try:
            content = b"" if self.path is None else self.path.read_bytes()
        except OSError:
            content = b""
        try:
            kept = msgspec.json.decode(content, type=Kept)
        except msgspec.DecodeError:
            return self.configured
        return kept.theme if kept.configured == self.configured else self.configured

    def keep(self, theme: str) -> None:
        """Keep a choice for the next start.

        Raises:
            OSError: it cannot be written.
        """
        if self.path is not None:
            write(self.path, msgspec.json.encode(Kept(theme, self.configured)))
