"""The one table of actions. Bindings, the footer, the help screen and the command palette are made from it.

An action has a place: the class that declares its bindings and carries its ``action_<name>`` method. It knows no
widget; whether an action can be used at the moment is for its place to say (``check_action``).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import BindingType

PANES: dict[str, tuple[str, str, str]] = {
    "trades": ("Trades", "t", "f1"),
    "windows": ("Windows", "w", "f2"),
    "health": ("Health", "h", "f3"),
    "log": ("Log", "l", "f4"),
    "dead": ("Dead letters", "d", "f5"),
    "symbols": ("Symbols", "s", "f6"),
}
"""Name → title, letter, function key; in the order of the tabs."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    place: str
    """``app``, ``start``, ``main``, ``rows``, ``page``, ``detail`` or ``confirm``."""
    name: str
    """Textual's action string without a namespace; parameters included."""
    keys: str
    """Textual's key names, separated by commas."""
    shown: str
    """The keys as people write them."""
    label: str
    """One or two words for the footer."""
    description: str
    rank: int = 0
    """Order in the footer; 0 is not there at all."""
    panes: tuple[str, ...] = ()
    """Panes it works in; empty means all."""
    palette: bool = False
    priority: bool = False

    @property
    def base(self) -> str:
        """The name without namespace and parameters: what ``check_action`` is asked."""
        return self.name.partition("(")[0].rpartition(".")[2]

    @property
    def call(self) -> str:
        """The action string for whoever is not the place itself (footer, palette)."""
        if "." in self.name:
            return self.name
        namespace = {"app": "app", "rows": "focused", "page": "focused"}.get(self.place, "screen")
        return f"{namespace}.{self.name}"


ACTIONS: tuple[Action, ...] = (
    # Panes: letters and function keys, because digits belong to the symbols.
    *(
        Action(
            "main",
            f"pane('{name}')",
            f"{letter},{key}",
            f"{letter} {key.upper()}",
            title,
            f"Show {title.lower()}",
            palette=True,
        )
        for name, (title, letter, key) in PANES.items()
    ),
    Action("main", "next_pane", "tab,right_square_bracket", "tab ]", "next", "Next list or pane", 60),
    Action("main", "previous_pane", "shift+tab,left_square_bracket", "⇧tab [", "previous", "Previous list or pane"),
    *(
        Action("main", f"symbol({n})", str(n), str(n), f"symbol {n}", f"Turn symbol {n} on or off")
        for n in range(1, 10)
    ),
    Action("main", "toggle_symbol", "space", "space", "on/off", "Turn the selected symbol on or off", 10, ("symbols",)),
    Action(
        "main",
        "freeze",
        "p",
        "p",
        "freeze",
        "Freeze the view, or go back to the newest (the pipeline never stops)",
        20,
        ("trades", "windows", "log", "dead"),
        palette=True,
    ),
    Action("main", "restart", "R", "R", "restart", "Restart the selected service (asks first)", 30, ("health",)),
    Action("main", "copy", "y", "y", "copy", "Copy the selected row to the clipboard (OSC 52)", 50),
    Action(
        "main", "maximise", "m", "m", "maximise", "Give the whole screen to one pane, or take it back", 70, palette=True
    ),
    Action("main", "checklist", "c", "c", "checklist", "Open the start-up checklist", 80, palette=True),
    Action("main", "back", "escape", "esc", "back", "Leave the frozen row or the maximised pane"),
    Action("main", "app.retry", "r", "r", "retry", "Try again what failed", 5, palette=True),
    # Before pane('symbols') would see the key: Textual asks in order, and this one is off while Binance answers.
    Action(
        "main",
        "app.simulated",
        "s",
        "s",
        "simulated",
        "Use the simulated exchange (only while Binance is out of reach; asks first)",
        6,
        palette=True,
    ),
    Action("start", "app.retry", "r", "r", "retry", "Try again what failed", 5),
    Action(
        "start",
        "app.simulated",
        "s",
        "s",
        "simulated",
        "Use the simulated exchange (only while Binance is out of reach; asks first)",
        6,
    ),
    Action("start", "enter_main", "enter,escape,c", "enter", "go on", "Go to the main screen, ready or not", 10),
    Action(
        "rows", "cursor(-1)", "up,k", "↑ k", "up", "One row up; above the first row the view follows the newest again"
    ),
    Action(
        "rows",
        "cursor(1)",
        "down,j",
        "↓ j",
        "select",
        "One row down; the view stands still while a row is selected",
        15,
    ),
    Action("rows", "page(-1)", "pageup,ctrl+u", "pgup", "page up", "One page up"),
    Action("rows", "page(1)", "pagedown,ctrl+d", "pgdn", "page down", "One page down"),
    Action("rows", "first", "home,g", "home g", "newest", "The first row (in what streams: follow the newest again)"),
    Action("rows", "last", "end,G", "end G", "oldest", "The last row"),
    Action(
        "rows", "shift(-1)", "left", "←", "columns left", "Columns to the left, where a table is wider than its place"
    ),
    Action("rows", "shift(1)", "right", "→", "columns right", "Columns to the right"),
    Action("rows", "open", "enter", "enter", "open", "Open the selected row", 40),
    Action("page", "scroll_lines(-1)", "up,k", "↑ k", "up", "One line up"),
    Action("page", "scroll_lines(1)", "down,j", "↓ j", "down", "One line down"),
    Action("page", "scroll_page(-1)", "pageup,ctrl+u", "pgup", "page up", "One page up"),
    Action("page", "scroll_page(1)", "pagedown,space,ctrl+d", "pgdn space", "page down", "One page down"),
    Action("page", "scroll_top", "home,g", "home g", "top", "The top"),
    Action("page", "scroll_bottom", "end,G", "end G", "bottom", "The bottom"),
    Action("detail", "leave", "escape,enter,backspace", "esc", "back", "Back to where you came from", 10),
    Action("detail", "copy", "y", "y", "copy", "Copy all of it to the clipboard (OSC 52)", 20),
    Action("confirm", "answer(True)", "y,enter", "y enter", "yes", "Do it", 10),
    Action("confirm", "answer(False)", "n,escape", "n esc", "no", "Leave it", 20),
    Action("app", "command_palette", "ctrl+p", "ctrl+p", "palette", "Search all actions by name", 0, priority=True),
    Action("app", "help", "question_mark", "?", "help", "What every key does", 45, palette=True),
    Action("app", "quit", "q", "q", "quit", "Stop the pipeline in order, then leave", 46, palette=True),
    Action(
        "app", "quit", "ctrl+c,ctrl+q", "ctrl+c", "quit", "The same, also from a question or the palette", priority=True
    ),
)

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Everywhere", ("app",)),
    ("Main screen", ("main",)),
    ("Start-up checklist", ("start",)),
    ("In a list", ("rows",)),
    ("In a page (details, help)", ("page", "detail")),
    ("A question", ("confirm",)),
)
"""Headings of the help screen and the places under each."""


def bindings(place: str) -> "list[BindingType]":
    """Return a place's bindings. Conditional actions come first, so that they are asked first for a shared key."""
    from textual.binding import Binding

    mine = [action for action in ACTIONS if action.place == place]
    mine.sort(key=lambda action: action.name.startswith("pane("))
    made: list[Binding] = [
        Binding(action.keys, action.name, action.description, show=False, priority=action.priority) for action in mine
    ]
    return list(made)


def action_of(place: str, name: str) -> Action | None:
    """Return the action of a place whose name, without parameters, is ``name``."""
    return next((a for a in ACTIONS if a.place == place and a.base == name), None)


def footer(places: tuple[str, ...], pane: str = "") -> list[Action]:
    """Return what the footer offers in these places, in order."""
    found = [a for a in ACTIONS if a.place in places and a.rank and (not a.panes or pane in a.panes)]
    return sorted(found, key=lambda action: action.rank)
