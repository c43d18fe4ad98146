import asyncio
import threading

import pytest

from pipeline.watching import watch


async def test_one_look_at_a_time_and_the_pause_begins_after_it() -> None:
    may_end = threading.Semaphore(0)
    seen: asyncio.Queue[int] = asyncio.Queue()
    begun = 0

    def look() -> int:
        nonlocal begun
        begun += 1
        assert may_end.acquire(timeout=10)
        return begun

    running = asyncio.create_task(watch(look, seen.put_nowait, 0.0))
    try:
        for number in (1, 2, 3):
            may_end.release()
            assert await asyncio.wait_for(seen.get(), 10) == number
            assert seen.empty()
    finally:
        may_end.release(2)
        running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
