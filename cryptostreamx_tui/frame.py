"""The one clock of the screen: ten times a second it draws what is visible and changed, and nothing else.

Trades arrive by the thousand; no message is posted for any of them. They change revisions in ``State``; here the
revisions are compared with what each view has drawn. Views that show ages are drawn once a second besides.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.errors import NoWidget

from cryptostreamx_tui.state import State

if TYPE_CHECKING:
    from textual.app import App

    from cryptostreamx_tui.widgets.view import View

FRAME_SECONDS = 0.1


class Frame:
    """The clock. Views join and leave by themselves."""

    def __init__(self, app: "App[int]", state: State, now: Callable[[], int]) -> None:
        self._app = app
        self._state = state
        self._now = now
        self._second = -1
        self._views: list[View] = []

    def join(self, view: "View") -> None:
        """Draw ``view`` from now on."""
        self._views.append(view)

    def leave(self, view: "View") -> None:
        """Draw ``view`` no more."""
        if view in self._views:
            self._views.remove(view)

    def answer(self) -> None:
        """Draw what a key changed besides the list it moved in: titles and footer. They do not wait for the tick."""
        self._draw([view for view in self._views if "view" in view.topics], aged=False)

    def tick(self) -> None:
        """Draw every visible view that has something new to show."""
        now = self._now()
        second = now // 1000
        aged = second != self._second
        self._second = second
        subjects = self._draw(tuple(self._views), aged=aged)
        self._state.latencies.drawing(trades="symbols" in subjects, windows="windows" in subjects)

    def displayed(self) -> None:
        """What was drawn has gone to the terminal."""
        self._state.latencies.displayed(self._now())

    def _draw(self, views: "Sequence[View]", *, aged: bool) -> set[str]:
        """Draw what is visible and changed; return what it was about."""
        subjects: set[str] = set()
        revision = self._state.revision
        screen = self._app.screen
        for view in views:
            stamp = sum(revision[topic] for topic in view.topics)
            if stamp == view.stamp and not (aged and view.ages):
                continue
            try:
                screen.find_widget(view)
            except NoWidget:
                continue  # hidden, or on a screen below
            view.stamp = stamp
            view.redraw()
            subjects.update(view.topics[:1])
        return subjects
