import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.services.leftovers import end_leftovers, find_leftovers, marks
from tests.unit.services.conftest import CHILD, eventually, lives

ROOT = Path(__file__).parents[3]
APPLICATION = CHILD.with_name("application.py")


class Application:
    """The small application of ``fakes/application.py``, running, with all its children ready."""

    def __init__(self, run_id: str, folder: Path) -> None:
        self.run_id = run_id
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(APPLICATION), run_id, str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.pids: list[int] = told["pids"]
        self.guard: int = told["guard"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def run_id() -> Iterator[str]:
    run_id = f"test-{uuid.uuid4().hex}"
    yield run_id
    for leftover in find_leftovers(run_id):
        leftover.process.kill()


@pytest.fixture
def application(run_id: str, tmp_path: Path) -> Iterator[Application]:
    application = Application(run_id, tmp_path)
    yield application
    application.kill()
    if application.process.stdout is not None:
        application.process.stdout.close()


def spawn(run_id: str, instance: str, rank: int, *actions: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **marks(run_id, instance, f"rank{rank}", rank)}
    command = [sys.executable, "-I", "-S", str(CHILD), *actions, "ready", "sleep"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    with process.stdout or pytest.fail("no pipe") as output:
        assert b"ready" in output.readline()
    return process


async def test_kill_9_of_the_application_leaves_no_process(application: Application) -> None:
    assert len(application.pids) == 5
    assert all(lives(pid) for pid in (*application.pids, application.guard))
    assert psutil.Process(application.guard).memory_info().rss < 40e6
    killed = time.monotonic()
    application.kill()
    await eventually(lambda: not any(lives(pid) for pid in application.pids), 15)
    await eventually(lambda: not lives(application.guard))
    assert time.monotonic() - killed < 15
    assert (application.folder / "order").read_text().split() == ["producer", "server"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
async def test_the_guard_does_not_heed_signals(application: Application) -> None:
    def ignores_sigterm() -> bool:
        status = Path(f"/proc/{application.guard}/status").read_text()
        mask = int(status.partition("SigIgn:")[2].split()[0], 16)
        return bool(mask & 1 << signal.SIGTERM - 1)

    await eventually(ignores_sigterm)  # the interpreter of a guard that was just started may still be loading
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(application.guard, number)
    application.kill()
    await eventually(lambda: not any(lives(pid) for pid in application.pids), 15)


def test_when_the_guard_is_killed_too_the_next_start_cleans_up(application: Application) -> None:
    os.kill(application.guard, signal.SIGSTOP)  # so that the application does not replace it, and it does nothing
    application.kill()
    os.kill(application.guard, signal.SIGKILL)
    assert all(lives(pid) for pid in application.pids)
    assert end_leftovers(application.run_id) == ["producer", "parent", "server"]
    assert not any(lives(pid) for pid in application.pids)
    assert end_leftovers(application.run_id) == []


def test_leftovers_end_rank_by_rank_and_the_deaf_are_killed(run_id: str, tmp_path: Path) -> None:
    order = tmp_path / "order"
    processes = [
        spawn(run_id, "one", 10, f"term:{order}"),
        spawn(run_id, "one", 50, f"term:{order}"),
        spawn(run_id, "one", 0, "deaf"),
    ]
    began = time.monotonic()
    assert end_leftovers(run_id, patience=0.5) == ["rank50", "rank10", "rank0"]
    assert time.monotonic() - began < 3
    assert order.read_text().split() == ["rank50", "rank10"]
    assert [process.wait() for process in processes] == [0, 0, -signal.SIGKILL]


def test_other_runs_other_instances_and_oneself_are_left_alone(run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = spawn(run_id, "one", 0)
    successor = spawn(run_id, "two", 0)
    other = spawn(f"{run_id}-other", "one", 0)
    try:
        assert end_leftovers(run_id, "one") == ["rank0"]
        assert mine.wait() == -signal.SIGTERM
        assert [successor.poll(), other.poll()] == [None, None]
        assert [leftover.process.pid for leftover in find_leftovers(run_id)] == [successor.pid]
    finally:
        for process in (successor, other):
            process.kill()
            process.wait()


def test_a_process_of_the_run_ends_the_others_but_not_itself_or_its_parents(run_id: str) -> None:
    code = f"from pipeline.services.leftovers import end_leftovers; print(end_leftovers({run_id!r}))"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    victim = spawn(run_id, "one", 3)
    environment = {**os.environ, **marks(run_id, "one", "cleaner", 0), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", parent], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "['rank3']\n"
    assert victim.wait() == -signal.SIGTERM
