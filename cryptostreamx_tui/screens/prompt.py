"""A question that wants a line of text; suggestions narrow down while one types."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from cryptostreamx_tui.actions import bindings
from cryptostreamx_tui.format import Line, Span, safe, wrap
from cryptostreamx_tui.widgets.plain_input import PlainInput
from cryptostreamx_tui.widgets.view import TONE_CLASSES, Lines

SHOWN = 8
"""Suggestions in sight."""

Suggest = Callable[[str], Sequence[tuple[str, str]]]
"""Typed text → (value, words about it), the best first. Called at each key: it must be fast and not block."""
Check = Callable[[str], str | None]
"""A value → what is wrong with it, or None."""


class Suggestions(Lines):
    """The question above, suggestions or what is wrong below."""

    def __init__(self, question: str) -> None:
        super().__init__(id="suggestions")
        self._question = question
        self.found: Sequence[tuple[str, str]] = ()
        self.cursor: int | None = None
        self.wrong: str | None = None

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - as high as the box
        """Make the lines."""
        made: list[Line] = [[Span("  " + part, "dim")] for part in wrap(self._question, width - 4)]
        if self.wrong is not None:
            made += [[Span("  " + part, "bad")] for part in wrap(safe(self.wrong), width - 4)]
        for index, (value, words) in enumerate(self.found[:SHOWN]):
            here = index == self.cursor
            action = f"screen.take({index})"
            mark = "› " if here else "  "
            made.append([Span("  " + mark + safe(value, 60), "tab" if here else "", action)])
            made[-1].append(Span("  " + safe(words, 60), "dim", action))
        return made


class PromptScreen(ModalScreen[str | None]):
    """Dismissed with the text, or None where it was left."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = bindings("prompt")

    def __init__(
        self,
        question: str,
        *,
        value: str = "",
        hint: str = "",
        suggest: Suggest | None = None,
        check: Check | None = None,
    ) -> None:
        """``value`` stands there at first; ``hint`` where nothing is typed."""
        super().__init__()
        self._question, self._value, self._hint = question, value, hint
        self._suggest = suggest
        self._check = check

    def compose(self) -> ComposeResult:
        """The line, then what there is to say about it."""
        with Vertical(id="prompt"):
            yield PlainInput(self._value, placeholder=self._hint)
            yield Suggestions(self._question)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()
        self.look_again()

    def look_again(self) -> None:
        """Ask for suggestions anew: the text has changed, or more is known now."""
        below = self.query_one(Suggestions)
        below.found = self._suggest(self.query_one(Input).value) if self._suggest else ()
        below.cursor = None
        below.redraw()

    def on_input_changed(self, _: Input.Changed) -> None:
        """Another text has other suggestions."""
        self.query_one(Suggestions).wrong = None
        self.look_again()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the suggestion the cursor is on, or else what was typed, unless something is wrong with it."""
        below = self.query_one(Suggestions)
        value = event.value if below.cursor is None else below.found[below.cursor][0]
        below.wrong = self._check(value) if self._check else None
        if below.wrong is None:
            self.dismiss(value)
        below.redraw()

    def action_suggestion(self, by: int) -> None:
        """Move through the suggestions; above the first one stands what was typed."""
        below = self.query_one(Suggestions)
        number = min(SHOWN, len(below.found))
        at = (-1 if below.cursor is None else below.cursor) + by
        below.cursor = None if at < 0 or not number else min(at, number - 1)
        below.redraw()

    def action_take(self, index: int) -> None:
        """Take a suggestion that was clicked."""
        self.query_one(Suggestions).cursor = index
        line = self.query_one(Input)
        line.post_message(Input.Submitted(line, line.value))

    def action_cancel(self) -> None:
        """Leave it."""
        self.dismiss(None)
