"""A question that wants yes or no."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.screen import ModalScreen

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.format import Line, Span, wrap
from cryptostreamx_tui.widgets.view import TONE_CLASSES, Lines


class Question(Lines):
    """The question, and the keys for an answer."""

    def __init__(self, question: str) -> None:
        super().__init__(id="question")
        self._question = question

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """As high as the question is long."""
        return len(self.lines(width, 0)) + 1

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - a small box
        """Make the lines."""
        lines: list[Line] = [[]]
        lines.extend([Span("  " + part)] for part in wrap(self._question, width - 4))
        keys = [
            Span("  "),
            Span(self.host.key("confirm.answer.True"), "key", "screen.answer(True)"),
            Span(" yes    ", "", "screen.answer(True)"),
            Span(self.host.key("confirm.answer.False"), "key", "screen.answer(False)"),
            Span(" no", "", "screen.answer(False)"),
        ]
        return [*lines, [], keys]


class ConfirmScreen(ModalScreen[bool]):
    """Dismissed with the answer."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The box."""
        yield Question(self._question)

    def action_answer(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)
