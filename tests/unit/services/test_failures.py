import asyncio
import os
import time

import pytest

from pipeline.events import ChildEvent, WindowsStats
from pipeline.model import ServiceState
from pipeline.services.service import Service
from pipeline.services.state import RestartPolicy
from pipeline.services.supervisor import ServiceFailedError
from tests.unit.services.conftest import QUICK, Bench, eventually, lives

S = ServiceState


def no_progress(before: ChildEvent, after: ChildEvent) -> bool:
    assert isinstance(before, WindowsStats)
    assert isinstance(after, WindowsStats)
    return before.processed == after.processed and bool(after.lag)


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        (("failed:Kafka is \x1b[31maway", "exit:3"), "Kafka is \\x1b[31maway"),
        (("log:ValueError: wrong \x1b[2J", "exit:3"), "exit code 3: ValueError: wrong \\x1b[2J"),
        (("exit:0",), "exit code 0"),
        (("die",), "killed by SIGKILL"),
    ],
)
async def test_a_crash_loop_ends_in_failed_with_the_reason(bench: Bench, actions: tuple[str, ...], reason: str) -> None:
    bench.add("a", "ready", *actions)
    await bench.supervisor.start("a")
    view = await bench.state("a", S.FAILED)
    assert view.last_error == reason
    assert (view.pid, view.memory, view.restarts) == (None, None, QUICK.limit - 1)
    assert bench.states("a").count(S.STARTING) == QUICK.limit
    with pytest.raises(ServiceFailedError) as error:
        await bench.supervisor.wait_ready("a")
    assert (error.value.name, error.value.reason) == ("a", reason)
    seen = len(bench.events)
    await bench.supervisor.start("a")
    assert (await bench.state("a", S.STARTING, seen)).last_error == reason


async def test_backing_off_says_until_when(bench: Bench) -> None:
    bench.add("a", "exit:1", restart=RestartPolicy(first=30))
    await bench.supervisor.start("a")
    view = await bench.state("a", S.BACKING_OFF)
    assert view.retry_at is not None
    assert 20_000 < view.retry_at - view.time < 40_000
    await bench.supervisor.start("a")  # a person does not want to wait
    await bench.state("a", S.STARTING, len(bench.events) - 1)


async def test_a_command_that_is_not_there_or_a_log_that_cannot_be_is_a_failed_start(bench: Bench) -> None:
    bench.supervisor.add(Service("a", ("/nowhere/java",), bench.folder / "a.log", restart=QUICK))
    (bench.folder / "file").write_text("")
    bench.supervisor.add(Service("b", ("/bin/true",), bench.folder / "file" / "b.log", restart=QUICK))
    bench.supervisor.add(Service("c", ("/bin/true", "\0"), bench.folder / "c.log", restart=QUICK))
    await bench.supervisor.start()
    for name, words in (("a", "/nowhere/java"), ("b", "b.log"), ("c", "null byte")):
        reason = (await bench.state(name, S.FAILED)).last_error
        assert reason is not None
        assert reason.startswith("cannot be started: ")
        assert words in reason or "file" in reason


async def test_a_killed_child_that_was_stable_is_back_at_once(bench: Bench) -> None:
    bench.add("producer", "ready", "sleep", restart=RestartPolicy(stable_after=0.1))
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("producer")
    await asyncio.sleep(0.15)  # the stable stretch itself
    pid = bench.supervisor.view("producer").pid
    assert pid is not None
    seen, killed = len(bench.events), time.monotonic()
    os.kill(pid, 9)
    view = await bench.state("producer", S.READY, seen)
    assert time.monotonic() - killed < 1.5
    assert (view.restarts, view.last_error) == (1, "killed by SIGKILL")


async def test_a_start_that_takes_too_long_is_killed_and_counted(bench: Bench) -> None:
    async def probe() -> str | None:
        return "port 1: connection refused"

    bench.add("slow", "deaf", "sleep", speaks_protocol=False, probe=probe, start_timeout=0.1)
    bench.add("mute", "deaf", "log:still loading", "sleep", start_timeout=1.0, restart=RestartPolicy(limit=1))
    await bench.supervisor.start()
    slow = await bench.state("slow", S.FAILED)
    assert slow.last_error == "not ready within 0.1 s: port 1: connection refused"
    mute = await bench.state("mute", S.FAILED)
    assert mute.last_error == "not ready within 1 s: still loading"


async def test_a_deaf_child_is_killed_with_its_grandchildren(bench: Bench) -> None:
    bench.add("a", "deaf", "grandchild:deaf", "ready", "sleep", stop_timeout=0.3)
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("a")
    grandchild = int((await bench.log_line("grandchild")).split()[-1])
    assert lives(grandchild)
    began = time.monotonic()
    await bench.supervisor.stop("a")
    assert 0.3 <= time.monotonic() - began < 2
    view = bench.supervisor.view("a")
    assert (view.state, view.last_error) == (S.STOPPED, "did not stop within 0.3 s: killed")
    await eventually(lambda: not lives(grandchild))


async def test_what_a_dead_child_leaves_in_its_group_goes_with_it(bench: Bench) -> None:
    bench.add("a", "grandchild", "exit:1", restart=RestartPolicy(limit=1))
    await bench.supervisor.start()
    await bench.state("a", S.FAILED)
    await eventually(lambda: not lives(int(bench.log_lines("a")[0].split()[-1])))


async def test_a_grandchild_that_left_and_holds_the_pipe_open_delays_nothing_for_long(bench: Bench) -> None:
    bench.add("a", "grandchild:away", "failed:gone", "exit:1", restart=RestartPolicy(limit=1))
    await bench.supervisor.start()
    assert (await bench.state("a", S.FAILED)).last_error == "gone"
    grandchild = int(bench.log_lines("a")[0].split()[-1])
    assert lives(grandchild)
    await bench.supervisor.stop_all()  # finds it by its marks
    await eventually(lambda: not lives(grandchild))


async def test_lines_that_are_no_events_go_to_the_log_and_are_told(bench: Bench) -> None:
    bench.add("a", "garbage:5", "huge:5000000", "ready", "echo")
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("a")
    lines = bench.log_lines("a")
    assert lines[:5] == [f"not understood: \\x1b[31mstrange {number}" for number in range(5)]
    assert len(lines) == 9, "and the unknown event, the two deep ones and the huge one; not the empty one"
    assert lines[-1].startswith("not understood: xxx")
    assert lines[-1].endswith(" bytes more)")
    assert all(len(line) < 700 for line in lines)
    log = (bench.folder / "a.log").read_text()
    assert log.splitlines() == lines
    assert bench.supervisor.view("a").restarts == 0


async def test_a_flood_of_garbage_is_counted_not_copied(bench: Bench) -> None:
    bench.add("a", "garbage:20000", "ready", "echo")
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("a")
    assert "more lines not understood" in await bench.log_line("more lines")
    assert len(bench.log_lines("a")) < 60
    assert (bench.folder / "a.log").stat().st_size < 10_000


async def test_the_watchdog_kills_what_makes_no_progress(bench: Bench) -> None:
    stuck = {"watchdog": 1.0, "stalled": no_progress, "stop_timeout": 60}
    bench.add("silent", "deaf", "ready", "sleep", **stuck)
    bench.add("stalled", "deaf", "ready", "stats-forever:7:100", **stuck)
    bench.add("idle", "ready", "stats-forever:7:0", **stuck)
    await bench.supervisor.start()
    for name in ("silent", "stalled"):
        view = await bench.state(name, S.BACKING_OFF)
        assert view.last_error == "no progress for 1 s"
        await bench.state(name, S.READY, bench.events.index(view))
    assert bench.supervisor.view("idle").restarts == 0
    for name in ("silent", "stalled"):
        pid = bench.supervisor.view(name).pid
        if pid is not None:
            os.killpg(pid, 9)  # they are deaf, and the end of this test should not wait for them
        await bench.state(name, S.BACKING_OFF, len(bench.events) - 1)
        await bench.supervisor.stop(name)


async def test_the_guard_is_replaced_when_it_dies(bench: Bench) -> None:
    bench.add("a", "ready", "sleep")
    await bench.supervisor.start()
    first = bench.supervisor.guard_pid
    assert first is not None
    os.kill(first, 9)
    await eventually(lambda: bench.supervisor.guard_pid not in (first, None))
