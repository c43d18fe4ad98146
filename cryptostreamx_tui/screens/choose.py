"""One of several things: a list, the cursor, enter."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.format import Line, Span
from cryptostreamx_tui.widgets.columns import Column
from cryptostreamx_tui.widgets.rows import Rows
from cryptostreamx_tui.widgets.view import TONE_CLASSES, Lines


class Choice(NamedTuple):
    """One that can be chosen."""

    value: str
    words: str
    more: str = ""


class Question(Lines):
    """What is asked."""

    def __init__(self, question: str) -> None:
        super().__init__(classes="heading")
        self._question = question

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line."""
        return [[Span("  " + self._question, "strong")]]


class ChoiceRows(Rows[Choice]):
    """The list."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__(
            (
                Column("", 28, lambda c: Span(c.words), flexible=True),
                Column("", 28, lambda c: Span(c.more, "dim"), flexible=True),
            ),
            empty="nothing to choose from",
        )
        self._choices = choices
        self.cursor = 0 if choices else None

    def total(self) -> int:
        """Return how many there are."""
        return len(self._choices)

    def item(self, index: int) -> Choice:
        """Return one."""
        return self._choices[index]

    def action_open(self) -> None:
        """Choose the selected one."""
        self.screen.dismiss(self.selected.value if self.selected else None)


class ChooseScreen(ModalScreen[str | None]):
    """Dismissed with the chosen value, or None."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = bindings("choose")

    def __init__(self, question: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._question, self._choices = question, choices

    def compose(self) -> ComposeResult:
        """The question above the list."""
        with Vertical(id="choose"):
            yield Question(self._question)
            rows = ChoiceRows(self._choices)
            rows.styles.height = min(len(self._choices), 14) + 1
            yield rows

    def on_mount(self) -> None:
        """Choose at once."""
        self.query_one(ChoiceRows).focus()

    def action_choose(self) -> None:
        """Take the selected one."""
        self.query_one(ChoiceRows).action_open()

    def action_cancel(self) -> None:
        """Leave it."""
        self.dismiss(None)
