"""The one clock of the screen: ten times a second it draws what is visible and changed, and nothing else.

Trades arrive by the thousand; no message is posted for any of them. They change revisions in ``State``; here the
revisions are compared with what each view has drawn. Views that show ages are drawn once a second besides.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

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

    def tick(self) -> None:
        """Draw every visible view that has something new to show."""
        now = self._now()
        second = now // 1000
        aged = second != self._second
        self._second = second
        self._state.drawn(now)
        revision = self._state.revision
        screen = self._app.screen
        for view in tuple(self._views):
            stamp = sum(revision[topic] for topic in view.topics)
            if stamp == view.stamp and not (aged and view.ages):
                continue
            if view.is_attached and view.screen is screen and view.is_on_screen:
                view.stamp = stamp
                view.redraw()
