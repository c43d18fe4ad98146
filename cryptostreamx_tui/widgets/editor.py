"""The SQL editor: Textual's text area with the colours of the application's theme.

Imported when the query pane is first shown: with its grammar it costs a tenth of a second, which the first frame has
no use for.
"""

from typing import ClassVar

import tree_sitter_sql
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.events import Paste
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme
from tree_sitter import Language

from pipeline.text import clean

PLACEHOLDER = "SELECT …    ctrl+r runs the statement the cursor is in, ctrl+t offers ready-made ones"
LONGEST = 100_000
"""Characters that are pasted at most."""
_TAKEN = ("f6", "f7")
"""The text area's keys that are the panes' here."""

# The grammar's own query tells numbers by a pattern of another language (%d); they must also come after the strings.
_NUMBERS = r"""
((literal) @number (#match? @number "^[-+]?[0-9][0-9_.eE]*$"))
"""

_STYLES = {
    "primary": ("keyword", "keyword.operator", "conditional", "attribute", "storageclass", "type.qualifier"),
    "accent": ("function.call", "type.builtin", "boolean"),
    "success": ("string",),
    "warning": ("number", "float"),
    "foreground-muted": ("comment", "operator", "punctuation.bracket", "punctuation.delimiter"),
}
"""Variable of the theme → what the grammar calls a piece."""


def fit_for_editor(text: str) -> str:
    r"""Return ``text`` with controls as ``\xNN``; within a quoted string that is ClickHouse's own way to write them."""
    return clean(text.replace("\r\n", "\n").replace("\r", "\n"), LONGEST, multiline=True)


class Editor(TextArea, inherit_bindings=False):
    """Statements, separated by semicolons. ``tab`` moves on, as everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in TextArea.BINDINGS if isinstance(binding, Binding) and binding.key not in _TAKEN
    ]

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text, tab_behavior="focus", soft_wrap=False, compact=True, placeholder=PLACEHOLDER, id="query-editor"
        )
        query = self._get_builtin_highlight_query("sql") + _NUMBERS
        self.register_language("sql", Language(tree_sitter_sql.language()), query)
        self.language = "sql"
        self.cursor_blink = False  # a blinking cursor would draw the screen twice a second for nothing

    def on_mount(self) -> None:
        """Follow the application's theme."""
        self.watch(self.app, "theme", self._colour)

    def on_paste(self, event: Paste) -> None:
        """Take nothing in that a terminal would act on: Textual's own handler comes next, with what is left."""
        event.text = fit_for_editor(event.text)

    def _colour(self) -> None:
        theme = self.app.current_theme
        colours = theme.to_color_system().generate() | theme.variables
        ground = Color.parse(colours["background"])
        styles = {
            piece: Style(color=(ground + Color.parse(colours[variable])).rich_color, bold=variable == "primary")
            for variable, pieces in _STYLES.items()
            for piece in pieces
        }
        self.register_theme(TextAreaTheme(name=f"of-{theme.name}", syntax_styles=styles))
        self.theme = f"of-{theme.name}"

    @property
    def offset_of_cursor(self) -> int:
        """Characters before the cursor."""
        row, column = self.cursor_location
        return sum(len(self.document[line]) + 1 for line in range(row)) + column

    def put(self, text: str) -> None:
        """Replace everything; undo brings it back."""
        self.replace(fit_for_editor(text), (0, 0), self.document.end)
        self.move_cursor((0, 0))
