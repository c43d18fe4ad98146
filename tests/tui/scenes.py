"""What the snapshots have in common: sizes, scenes, and one test made from a table of scenes."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from pipeline.events import StackEvent
from tests.tui.fakes import FakeStack, application, tell

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
SIZES = {80: SMALL, 120: MIDDLE, 200: LARGE}
Compare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]
Scene = tuple[dict[str, Any], list[StackEvent]]
"""Keyword arguments of ``scene``, and the events it begins with."""


def scene(
    *events: StackEvent,
    keys: tuple[str, ...] = (),
    later: int = 0,
    after: tuple[StackEvent, ...] = (),
    feed: str = "live",
    prepare: Callable[[FakeStack], None] = lambda _: None,
) -> tuple[Any, Before]:
    """Return an application and what happens to it: events, keys, time passing (ms), more events.

    ``prepare`` may set what the stack and its desk answer.
    """
    app, stack, clock = application(feed)
    prepare(stack)

    async def happen(pilot: Pilot[Any]) -> None:
        await tell(app, pilot, *events)
        for key in keys:
            await pilot.press(key)
            await tell(app, pilot)
        clock.forward(later)
        await tell(app, pilot, *after)
        await app.workers.wait_for_complete()
        await tell(app, pilot)

    return app, happen


def screens(scenes: dict[str, Scene], widths: tuple[int, ...] = (80, 120, 200)) -> Any:
    """Return a parametrised snapshot test: every scene at every width.

    ``test_screen = screens(SCENES)``. After a change that is meant: ``pytest tests/tui --snapshot-update``, and look at
    every picture that changed.
    """

    @pytest.mark.screens
    @pytest.mark.parametrize("width", widths)
    @pytest.mark.parametrize("name", list(scenes))
    def test_screen(snap_compare: Compare, name: str, width: int) -> None:
        more, events = scenes[name]
        app, before = scene(*events, **more)
        assert snap_compare(app, terminal_size=SIZES[width], run_before=before)

    return test_screen
