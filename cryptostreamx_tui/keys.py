"""Keys of one's own: what may be bound, what would be in the way of what, and the table of actions with them.

Pure: the table goes in, a table comes out. Two actions may share a key only where they do so by default (one of the
two is then off while the other can be used, or is meant to be hidden by it).
"""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from textual.keys import Keys, _character_to_key, key_to_character

from cryptostreamx_tui.actions import KEY_NAMES, PANES, Action

SIGNS = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "backspace": "⌫",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "delete": "del",
    **{name: sign for sign, name in KEY_NAMES.items()},
}
"""Textual's name of a key → what people write."""
MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")
CHARACTERS = {_character_to_key(chr(code)) for code in range(33, 127)}
NAMED = ({key.value for key in Keys} | CHARACTERS | set(KEY_NAMES.values())) - {"<any>", "<ignore>"}
NEEDED = "app.interrupt"
"""Works from everywhere, also out of a question: without it one could be locked in."""
TOGETHER: tuple[tuple[str, ...], ...] = (
    *(("main", pane, inside, "app") for pane in PANES for inside in ("rows", "page")),
    ("start", "page", "app"),
    ("detail", "page", "app"),
    ("filter", "app"),
    ("prompt", "app"),
    ("choose", "rows", "app"),
    ("confirm", "app"),
)
"""Places whose actions can be used at the same time."""


def split(keys: str) -> tuple[str, ...]:
    """Return single keys by Textual's names; ``?`` and ``question_mark`` are the same."""
    parts = (part.strip() for part in keys.split(","))
    return tuple(_character_to_key(part) if len(part) == 1 else part for part in parts if part)


def known(key: str) -> bool:
    """Tell whether there is such a key."""
    *modifiers, last = key.split("+")
    if any(modifier not in MODIFIERS for modifier in modifiers):
        return False
    return key in NAMED or last in NAMED or (key_to_character(last) is not None and last.isprintable())


def written(key: str) -> str:
    """Return a key as people write it: ``↑``, ``?``, ``F1``, ``ctrl+f``, ``⇧tab``."""
    *modifiers, last = key.split("+")
    character = key_to_character(last)
    sign = SIGNS.get(last) or (character if character and character.isprintable() and character != " " else last)
    if last[:1] == "f" and last[1:].isdigit():
        sign = last.upper()
    if modifiers == ["shift"]:
        return f"⇧{sign}"
    return "+".join((*modifiers, sign))


def remapped(table: Sequence[Action], keys: Mapping[str, str]) -> tuple[Action, ...]:
    """Return the table with other keys for some actions. ``keys`` has no problems."""
    return tuple(_with_keys(action, keys[action.id]) if action.id in keys else action for action in table)


def _with_keys(action: Action, keys: str) -> Action:
    names = split(keys)
    return dataclasses.replace(action, keys=",".join(names), shown=" ".join(map(written, names)))


def keymap(table: Sequence[Action]) -> dict[str, str]:
    """Return what Textual is told: every action's id and its keys (see ``actions.bindings``)."""
    return {action.id: action.keys for action in table if action.keys}


def problems(table: Sequence[Action], keys: Mapping[str, str]) -> list[str]:
    """Return what is wrong with keys of one's own, a line for each."""
    ids = [action.id for action in table]
    typed = {action.id for action in table if action.priority}
    found: list[str] = []
    for name, value in keys.items():
        if name not in ids:
            nearest = difflib.get_close_matches(name, ids, 3, 0.4)
            hint = f"; near are {', '.join(nearest)}" if nearest else ""
            found.append(f"keys.{name}: there is no such action{hint}")
        for key in split(value):
            if not known(key):
                nearest = difflib.get_close_matches(key, sorted(NAMED), 3, 0.5)
                hint = f"; near are {', '.join(nearest)}" if nearest else ""
                found.append(f"keys.{name}: there is no key {key!r}{hint}")
            elif name in typed and (key in CHARACTERS or len(key) == 1 or key == "space"):
                found.append(f"keys.{name}: works while one types, so {key!r} could not be typed any more")
        if name == NEEDED and not split(value):
            found.append(f"keys.{name}: needs a key, or one could be locked in")
    if found:
        return found
    shared = dict(_clashes(table))
    return [
        f"keys: {first} and {second} are both on {key!r}"
        for (first, second), key in _clashes(remapped(table, keys))
        if (first, second) not in shared
    ]


def _clashes(table: Sequence[Action]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the pairs of actions that can be used at the same time and have a key in common, each once."""
    seen: set[tuple[str, str]] = set()
    for places in TOGETHER:
        by_key: dict[str, list[str]] = {}
        pane = next((place for place in places if place in PANES), "")
        for action in table:
            if action.place in places and (not action.panes or pane in action.panes):
                for key in split(action.keys):
                    by_key.setdefault(key, []).append(action.id)
        for key, sharing in by_key.items():
            for pair in combinations(sharing, 2):
                if pair not in seen:
                    seen.add(pair)
                    yield pair, key
