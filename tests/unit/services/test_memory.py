import subprocess
import sys

from pipeline.services.memory import MemoryMeter

HOLD = "print('up', flush=True); import sys; sys.stdin.read()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', {HOLD!r}])"


def test_a_process_counts_with_what_it_started() -> None:
    command = [sys.executable, "-I", "-S", "-c"]
    with (
        subprocess.Popen([*command, HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as single,
        subprocess.Popen([*command, PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent,
    ):
        for process in (single, parent):
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
        meter = MemoryMeter()
        sizes = meter.read([single.pid, parent.pid])
        assert sizes[single.pid] > 1_000_000
        assert sizes[parent.pid] > 1.5 * sizes[single.pid]
        single.communicate()
        assert meter.read([single.pid, parent.pid]).keys() == {parent.pid}
        parent.communicate()
    assert meter.read([parent.pid]) == {}


def test_a_process_that_came_between_two_looks_is_read_too() -> None:
    meter = MemoryMeter()
    assert meter.read([]) == {}
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", HOLD], stdin=subprocess.PIPE) as process:
        assert meter.read([process.pid])[process.pid] > 0
        process.communicate()
