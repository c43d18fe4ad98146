"""The one table of actions. Bindings, the footer, the help screen, the palette and remapped keys come from it.

An action has a place: the class that declares its bindings and carries its ``action_<name>`` method; a pane's name is
the place of what only this pane can do. The table knows no widget; whether an action can be used at the moment is for
its place to say (``check_action``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import BindingType

PANES: dict[str, tuple[str, str, str]] = {
    "trades": ("Trades", "t", "f1"),
    "windows": ("Windows", "w", "f2"),
    "health": ("Health", "h", "f3"),
    "messages": ("Messages", "b", "f4"),
    "log": ("Log", "l", "f5"),
    "dead": ("Dead letters", "d", "f6"),
    "query": ("Query", "u", "f7"),
    "symbols": ("Symbols", "s", "f8"),
    "alerts": ("Alerts", "!", "f9"),
}
"""Name → title, key, function key; in the order of the tabs."""

KEY_NAMES = {"!": "exclamation_mark", "?": "question_mark", "/": "slash", "-": "minus"}
"""What is written on a key → what Textual calls it, where these differ."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    place: str
    """A screen or a widget (``app``, ``main``, ``rows``, ``detail`` …), or the name of a pane."""
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
    """For what the main screen does for several panes: those it works in; empty means all."""
    palette: bool = False
    priority: bool = False

    @property
    def base(self) -> str:
        """The name without namespace and parameters: what ``check_action`` is asked."""
        return self.name.partition("(")[0].rpartition(".")[2]

    @property
    def id(self) -> str:
        """What the action is called in the configuration (``[keys]``): ``main.freeze``, ``main.pane.trades``."""
        name = self.name.removeprefix("app.")
        if "(" in name:
            base, _, argument = name.rstrip(")").partition("(")
            name = f"{base}.{argument.strip(chr(39))}"
        return f"{self.place}.{name}"

    @property
    def call(self) -> str:
        """The action string for whoever is not the place itself (footer, palette)."""
        if "." in self.name:
            return self.name
        if self.place in PANES:
            return f"screen.in_pane({self.name!r})"
        namespace = {"app": "app", "rows": "focused", "page": "focused"}.get(self.place, "screen")
        return f"{namespace}.{self.name}"


STREAMS = ("trades", "windows", "log", "dead")
"""Panes whose lists follow what arrives."""
LISTS = ("trades", "windows", "health", "messages", "log", "dead", "query", "symbols", "alerts")
"""Panes whose rows can be exported."""

ACTIONS: tuple[Action, ...] = (
    # Panes: letters and function keys, because digits belong to the symbols.
    *(
        Action(
            "main",
            f"pane('{name}')",
            f"{KEY_NAMES.get(letter, letter)},{key}",
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
    Action(
        "main",
        "freeze",
        "p",
        "p",
        "freeze",
        "Freeze the view, or go back to the newest (the pipeline never stops)",
        20,
        STREAMS,
        palette=True,
    ),
    Action("main", "filter", "slash", "/", "filter", "Show only what matches", 25, palette=True),
    Action("main", "export", "e", "e", "export", "Export the list as CSV or JSON Lines", 55, LISTS, palette=True),
    Action("main", "copy", "y", "y", "copy", "Copy the selected row to the clipboard (OSC 52)", 50),
    Action(
        "main", "maximise", "m", "m", "maximise", "Give the whole screen to one pane, or take it back", 70, palette=True
    ),
    Action("main", "latency", "L", "L", "latency", "Latency by stage, and the clock's offset", 75, palette=True),
    Action("main", "acknowledge_all", "A", "A", "acknowledge", "Acknowledge all alerts", 4, palette=True),
    Action("main", "checklist", "c", "c", "checklist", "Open the start-up checklist", 80, palette=True),
    Action("main", "back", "escape", "esc", "back", "Leave the frozen row, the filter or the maximised pane"),
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
    # ---- what one pane alone can do
    Action("windows", "next_symbol", "n", "n", "symbol", "Windows of the next symbol, or of all", 12),
    Action("windows", "previous_symbol", "N", "N", "previous", "Windows of the previous symbol, or of all"),
    Action("windows", "view", "v", "v", "view", "Tables, candles, or both", 14),
    Action(
        "health", "next_view", "v", "v", "view", "Next view: services, stages, brokers, topics, groups, registry …", 12
    ),
    Action("health", "previous_view", "V", "V", "previous", "Previous view"),
    Action("health", "restart", "R", "R", "restart", "Restart the selected service (asks first)", 30),
    Action("health", "stop_or_start", "S", "S", "stop/start", "Stop or start the selected service (asks first)", 31),
    Action("messages", "follow", "f", "f", "follow", "Follow the newest records", 12),
    Action("messages", "start_at", "o", "o", "from", "Where to start: an offset, a time, beginning or end", 13),
    Action("messages", "partition", "P", "P", "partition", "Which partition to read"),
    Action("messages", "search", "F", "F", "search", "Search the topic's records", 16),
    Action("messages", "next_page", "n", "n", "next", "Next page", 14),
    Action("messages", "previous_page", "N", "N", "previous", "Previous page"),
    Action("messages", "topics", "backspace", "⌫", "topics", "Back to the topics", 11),
    Action("messages", "leave_search", "escape", "esc", "end search", "Stop the search, or leave what it found", 10),
    Action("log", "level", "v", "v", "level", "From which level on", 12),
    Action("dead", "topic", "v", "v", "topic", "Letters of one topic, or of both", 12),
    Action("dead", "replay", "X", "X", "replay", "Replay the selected letter (a dry run first)", 30),
    Action("query", "run", "ctrl+r,ctrl+enter", "^r", "run", "Run the statement the cursor is in", 10, palette=True),
    Action("query", "edit", "i", "i", "edit", "Go to the editor", 11),
    Action("query", "history", "ctrl+o", "^o", "history", "Queries that were run before", 12),
    Action("query", "ready", "ctrl+t", "^t", "ready-made", "Ready-made queries", 13),
    Action("query", "save", "ctrl+s", "^s", "export all", "Export the whole result: CSV, JSON Lines or Parquet", 14),
    Action("query", "stop", "escape", "esc", "cancel/leave", "Cancel the running query, or leave the editor", 11),
    Action("symbols", "toggle_symbol", "space", "space", "on/off", "Turn the selected symbol on or off", 10),
    Action("symbols", "add", "a", "a", "add", "Add a symbol by its name", 11),
    Action("symbols", "remove", "delete,minus", "del -", "remove", "Remove the selected symbol", 12),
    Action("symbols", "move(1)", "J,shift+down", "J", "down", "Move the selected symbol down", 13),
    Action("symbols", "move(-1)", "K,shift+up", "K", "up", "Move the selected symbol up", 14),
    Action("alerts", "acknowledge", "space", "space", "acknowledge", "Acknowledge the selected alert", 10),
    # ---- screens and widgets
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
        "rows",
        "shift(-1)",
        "left,less_than_sign",
        "← <",
        "columns left",
        "Columns to the left, where a table is wider than its place",
    ),
    Action("rows", "shift(1)", "right,greater_than_sign", "→ >", "columns right", "Columns to the right"),
    Action("rows", "open", "enter", "enter", "open", "Open the selected row", 40),
    Action("page", "scroll_lines(-1)", "up,k", "↑ k", "up", "One line up"),
    Action("page", "scroll_lines(1)", "down,j", "↓ j", "down", "One line down"),
    Action("page", "scroll_page(-1)", "pageup,ctrl+u", "pgup", "page up", "One page up"),
    Action("page", "scroll_page(1)", "pagedown,space,ctrl+d", "pgdn space", "page down", "One page down"),
    Action("page", "scroll_top", "home,g", "home g", "top", "The top"),
    Action("page", "scroll_bottom", "end,G", "end G", "bottom", "The bottom"),
    Action("detail", "leave", "escape,enter,backspace", "esc", "back", "Back to where you came from", 10),
    Action("detail", "copy", "y", "y", "copy", "Copy all of it to the clipboard (OSC 52)", 20),
    Action("filter", "keep", "enter,down", "enter", "keep", "Keep the filter and go back to the list", 10),
    Action("filter", "clear", "escape", "esc", "clear", "Show everything again", 20),
    Action("prompt", "cancel", "escape", "esc", "cancel", "Leave it", 20),
    Action("prompt", "suggestion(1)", "down", "↓", "suggestion", "Next suggestion"),
    Action("prompt", "suggestion(-1)", "up", "↑", "suggestion", "Previous suggestion"),
    Action("choose", "choose", "enter", "enter", "choose", "Take the selected one", 10),
    Action("choose", "cancel", "escape", "esc", "cancel", "Leave it", 20),
    Action("confirm", "answer(True)", "y,enter", "y enter", "yes", "Do it", 10),
    Action("confirm", "answer(False)", "n,escape", "n esc", "no", "Leave it", 20),
    Action("app", "command_palette", "ctrl+p", "ctrl+p", "palette", "Search all actions by name", 0, priority=True),
    Action("app", "help", "question_mark", "?", "help", "What is shown here, and what the keys do", 45, palette=True),
    Action("app", "theme", "T", "T", "theme", "Choose other colours; they are kept for the next start", palette=True),
    Action("app", "quit", "q", "q", "quit", "Stop the pipeline, then leave (attached: only leave)", 46, palette=True),
    Action(
        "app",
        "interrupt",
        "ctrl+c,ctrl+q",
        "ctrl+c",
        "quit",
        "The same, also from a question or the palette",
        priority=True,
    ),
)

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Everywhere", ("app",)),
    ("Main screen", ("main",)),
    *((title, (name,)) for name, (title, _, _) in PANES.items()),
    ("Start-up checklist", ("start",)),
    ("In a list", ("rows",)),
    ("In a page (details, help)", ("page", "detail")),
    ("In the filter line", ("filter",)),
    ("A question", ("confirm", "prompt", "choose")),
)
"""Headings of the help screen and the places under each."""


def bindings(place: str) -> "list[BindingType]":
    """Return a place's bindings. Conditional actions come first, so that they are asked first for a shared key.

    The key of each is its id, which no keyboard has: the application's keymap says which keys stand for it
    (``keys.keymap``). Textual replaces a key with all that is bound to it; so shared keys stay shared.
    """
    from textual.binding import Binding

    mine = [action for action in ACTIONS if action.place == place]
    mine.sort(key=lambda action: action.name.startswith("pane("))
    made: list[Binding] = [
        Binding(action.id, action.name, action.description, show=False, priority=action.priority, id=action.id)
        for action in mine
    ]
    return list(made)


def action_of(place: str, name: str) -> Action | None:
    """Return the action of a place whose name, without parameters, is ``name``."""
    return next((a for a in ACTIONS if a.place == place and a.base == name), None)


def footer(places: tuple[str, ...], pane: str = "", table: Sequence[Action] = ACTIONS) -> list[Action]:
    """Return what the footer offers in these places, in order."""
    found = [a for a in table if a.place in (*places, pane) and a.rank and (not a.panes or pane in a.panes)]
    return sorted(found, key=lambda action: action.rank)
