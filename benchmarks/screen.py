"""The screen in a real pseudo-terminal: processor time, answers to keys, first frame, memory.

    python -m benchmarks.screen [--quick]           # side by side with a DataTable, a few minutes
    python -m benchmarks.screen --memory 10         # memory over ten minutes at 5,000 trades/s

Each line is a process of its own in a terminal of its own (``benchmarks.screen_child``), with batches from a thread ten
times a second. Counted: the processor time of that process, user and system, the feeding thread's too. Not counted:
librdkafka, the terminal emulator, and what the thread tells that making the trades took. A key's latency is from
writing it into the terminal until its effect comes out.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil

from tests.terminal import ROOT, Terminal

READY = b"time UTC"
SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
RATES = (200, 1_000, 5_000, 20_000)
OURS = ((b"p", b"frozen"), (b"p", b"following"), (b"j", "›".encode()), (b"p", b"following"))
"""Keys pressed in turn, and what each puts on the screen."""
SMALL_ONLY = ((b"w", b"5m "), (b"t", b"time UTC"), (b"?", b"Everywhere"), (b"\r", b"time UTC"))
TABLES = ((b"p", b"frozen"), (b"p", b"following"))
KEY_TIMEOUT = 2.0
MISSES = 3
PAUSE = 0.11
"""Seconds between an answer and the next key: not in step with the frames."""


@dataclass
class Result:
    """One line."""

    kind: str
    size: tuple[int, int]
    rate: int
    cpu: float
    """Share of a core."""
    keys: list[float]
    """Milliseconds."""
    missed: int
    memory: int

    def line(self) -> str:
        """Return it as text."""
        ordered = sorted(self.keys)
        at_99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] if ordered else float("nan")
        median = statistics.median(ordered) if ordered else float("nan")
        missed = f"  {self.missed} not answered in {KEY_TIMEOUT:.0f} s" if self.missed else ""
        place = f"{self.size[0]}x{self.size[1]}"
        return (
            f"{self.kind:9}{place:>8}{self.rate:>8,}/s{self.cpu:>9.1%}{median:>9.1f}{at_99:>8.1f}"
            f"{len(ordered):>6}{self.memory >> 20:>8}{missed}"
        )


HEAD = f"{'what':9}{'size':>8}{'trades':>10}{'cpu':>9}{'key p50':>9}{'p99 ms':>8}{'n':>6}{'MiB':>8}"


def measure(kind: str, size: tuple[int, int], rate: int, seconds: float, presses: int) -> Result:
    """Run one child: let it settle, take its processor time, press keys."""
    with tempfile.TemporaryDirectory() as folder:
        return _measure(kind, size, rate, seconds, presses, Path(folder) / "making")


def _measure(kind: str, size: tuple[int, int], rate: int, seconds: float, presses: int, making: Path) -> Result:
    flags = (kind, "--rate", str(rate), "--making", str(making))
    terminal = Terminal(*flags, module="benchmarks.screen_child", size=size)
    try:
        if not terminal.seen(READY, 30):
            raise RuntimeError(f"{kind} at {rate}/s showed nothing")
        time.sleep(2)
        process = psutil.Process(terminal.process.pid)

        def spent() -> float:
            told = making.read_text() if making.exists() else ""
            return sum(process.cpu_times()[:2]) - float(told or 0)

        before, begin = spent(), time.monotonic()
        time.sleep(seconds)
        cpu = (spent() - before) / (time.monotonic() - begin)
        keys: tuple[tuple[bytes, bytes], ...] = TABLES
        if kind in ("ours", "decoded"):
            keys = OURS + SMALL_ONLY if size == SMALL else OURS
        found, missed = press(terminal, keys, presses)
        return Result(kind, size, rate, cpu, found, missed, process.memory_info().rss)
    finally:
        terminal.close()


def press(terminal: Terminal, keys: tuple[tuple[bytes, bytes], ...], presses: int) -> tuple[list[float], int]:
    """Press keys in turn; return the latencies in ms, and how many were not answered in time."""
    found: list[float] = []
    missed = 0
    for number in range(presses):
        key, answer = keys[number % len(keys)]
        begin = time.perf_counter()
        terminal.press(key)
        if terminal.seen(answer, KEY_TIMEOUT):
            found.append((time.perf_counter() - begin) * 1000)
        else:
            missed += 1
            if missed >= MISSES:
                break
        time.sleep(PAUSE)
    return found, missed


def first_frame(times: int) -> None:
    """Start the application itself, as its user does, on servers that are not there; time the first frame."""
    found = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as home:
            begin = time.perf_counter()
            terminal = Terminal(
                *("--profile", "cluster", "--home", home),
                KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
                SCHEMA_REGISTRY_URL="http://127.0.0.1:1",
                CLICKHOUSE_URL="http://127.0.0.1:1",
            )
            try:
                if not terminal.seen(b"feed", 30) or not terminal.seen(b"quit", 5):
                    raise RuntimeError("no first frame came")
                found.append(time.perf_counter() - begin)
                terminal.process.terminate()
                terminal.process.wait(30)
            finally:
                terminal.close()
    print(f"first frame: median {statistics.median(found):.2f} s, of {', '.join(f'{s:.2f}' for s in found)}")
    for module in ("pipeline.stack", "textual.app", "cryptostreamx_tui.app"):
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        runs = [float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)) for _ in range(times)]
        print(f"import {module}: {statistics.median(runs):.2f} s")


def memory(minutes: float, kind: str = "ours", rate: int = 5_000) -> None:
    """Print the resident memory every 30 s."""
    terminal = Terminal(kind, "--rate", str(rate), module="benchmarks.screen_child", size=MIDDLE)
    try:
        if not terminal.seen(READY, 30):
            raise RuntimeError("it showed nothing")
        process = psutil.Process(terminal.process.pid)
        print(f"{kind}, {rate:,} trades/s, {MIDDLE[0]}x{MIDDLE[1]}: resident MiB", flush=True)
        begin = time.monotonic()
        for step in count():
            time.sleep(max(0.0, begin + step * 30 - time.monotonic()))
            print(f"{step * 30:>6} s {process.memory_info().rss / 2**20:8.1f}", flush=True)
            if step * 30 >= minutes * 60:
                return
    finally:
        terminal.close()


def main() -> None:
    """Measure, and print a table and its ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="80x24 only, shorter")
    parser.add_argument("--memory", type=float, metavar="MINUTES", help="memory only")
    options = parser.parse_args()
    if options.memory is not None:
        memory(options.memory)
        return
    seconds, presses = (4.0, 24) if options.quick else (8.0, 60)
    plan = [("ours", SMALL, rate) for rate in RATES]
    plan += [("decoded", SMALL, rate) for rate in ((1_000, 20_000) if options.quick else RATES)]
    plan += [("table", SMALL, rate) for rate in ((1_000,) if options.quick else RATES)]
    plan += [("redrawn", SMALL, rate) for rate in ((5_000,) if options.quick else RATES)]
    if not options.quick:
        plan += [(kind, size, 5_000) for size in (MIDDLE, LARGE) for kind in ("ours", "redrawn")]
        plan += [("ours", size, rate) for size in (MIDDLE, LARGE) for rate in (1_000, 20_000)]
    first_frame(3 if options.quick else 5)
    print(HEAD)
    results: dict[tuple[str, tuple[int, int], int], Result] = {}
    for kind, size, rate in plan:
        result = results[kind, size, rate] = measure(kind, size, rate, seconds, presses)
        print(result.line(), flush=True)
    for kind in ("ours", "decoded"):
        for size in (SMALL, MIDDLE, LARGE):
            few, many = results.get((kind, size, 1_000)), results.get((kind, size, 20_000))
            if few and many:
                print(f"{kind} {size[0]}x{size[1]}: 20,000/s to 1,000/s = {many.cpu / few.cpu:.2f}")
    for (kind, size, rate), result in results.items():
        ours = results.get(("ours", size, rate))
        if kind in ("table", "redrawn") and ours:
            print(f"{kind} {size[0]}x{size[1]} {rate:,}/s to ours = {result.cpu / ours.cpu:.1f}")


if __name__ == "__main__":
    main()
