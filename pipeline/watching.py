"""Looks at something again and again for as long as it runs, slower than anything that is asked: one look at a time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


async def watch(look: Callable[[], Seen], emit: Callable[[Seen], None], interval: float) -> None:
    """Call ``look`` in a thread and ``emit`` its result, until cancelled.

    The pause of ``interval`` seconds begins when a look has ended, however long it took: a server that answers slowly
    is not asked more often for it. ``look`` puts a server's error into its result; ``emit`` is called in the event
    loop.
    """
    while True:
        emit(await asyncio.to_thread(look))
        await asyncio.sleep(interval)
