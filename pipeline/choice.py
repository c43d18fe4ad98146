"""A person's choice of symbols, kept in the home for the next start: those known, in their order, and those on."""

import logging
from pathlib import Path

import msgspec

from pipeline.settings import can_be_symbol

log = logging.getLogger(__name__)


class Choice(msgspec.Struct, frozen=True):
    """``known`` in the order of their digits; ``on`` are those of them that are streamed, at least one."""

    known: tuple[str, ...]
    on: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether one can start with it; a file may have been edited by hand."""
        unique = len(set(self.known)) == len(self.known)
        return unique and bool(self.on) and set(self.on) <= set(self.known) and all(map(_good, self.known))


def _good(symbol: str) -> bool:
    return can_be_symbol(symbol) and symbol == symbol.upper()


def read(path: Path) -> Choice | None:
    """Return the choice that was kept; None where none was. A file that cannot be used is said in the log."""
    try:
        choice = msgspec.json.decode(path.read_bytes(), type=Choice)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s cannot be used, the symbols are those of the settings: %s", path, error)
        return None
    if not choice.sound:
        log.warning("%s holds no choice of symbols, they are those of the settings", path)
        return None
    return choice


def write(path: Path, choice: Choice) -> None:
    """Keep a choice, as a whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(choice)) + b"\n")
    unfinished.replace(path)
