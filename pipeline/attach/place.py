"""Where an instance's socket is: in its home, or, where that path is too long for a socket, named there.

The kernel takes about a hundred bytes as the path of a socket (108 on Linux, 104 on macOS), and a home may be deep.
"""

import os
import shutil
import socket
import tempfile
from pathlib import Path

from pipeline.home import Home

LONGEST = 100
"""Bytes of a socket's path."""
ANSWER_S = 1.0
_PREFIX = "cryptostreamx-"


def _own(home: Home) -> Path:
    return home.run / "tui.sock"


def _elsewhere(home: Home) -> Path:
    """The file that names the socket where it could not be in the home."""
    return home.run / "tui.sock.path"


def place_of(home: Home) -> Path:
    """Return where the socket of the instance in this home is, if one runs."""
    try:
        return Path(_elsewhere(home).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return _own(home)


def bind(home: Home) -> socket.socket:
    """Make the socket, for this user alone, in place of one that a killed instance left. The home is locked by us.

    Raises:
        OSError: it cannot be made.
    """
    clear(home)
    path = _own(home)
    if len(os.fsencode(path)) > LONGEST:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX)) / "s"  # a folder of mode 0700
        _elsewhere(home).write_text(f"{path}\n", encoding="utf-8")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        path.chmod(0o600)  # nobody connects before it listens
    except OSError:
        made.close()
        clear(home)
        raise
    return made


def running_beside(home: Home) -> list[Path]:
    """Return the homes beside this one in which an instance runs: those of the other kinds of feed are there."""
    try:
        beside = sorted(home.path.parent.iterdir())
    except OSError:  # there is no such folder, or it is not ours to look into
        return []
    return [path for path in beside if answers(Home(path))]


def answers(home: Home) -> bool:
    """Tell whether an instance listens in this home."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(place_of(home)))
        except OSError:  # no socket, or nobody behind it
            return False
    return True


def clear(home: Home) -> None:
    """Remove the socket, and what names it."""
    path = place_of(home)
    path.unlink(missing_ok=True)
    if path.parent.name.startswith(_PREFIX) and path.parent != home.run:
        shutil.rmtree(path.parent, ignore_errors=True)
    _elsewhere(home).unlink(missing_ok=True)
