"""The application in a real pseudo-terminal under load: is anything lost or doubled, does memory grow, do keys answer?

    python -m benchmarks.soak [--rate 5000] [--minutes 5] [--home DIR]

Runs the simulated exchange at ``rate`` trades/s, every symbol of it subscribed, through the real local servers for some
minutes, pressing a key every second and timing the answer; quits; lets what is left in Kafka drain; and counts in
ClickHouse. Trade ids of the simulated exchange are consecutive, so a lost trade is a hole.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from pipeline.exchange.generator import MARKETS
from tests.stack.application import Application
from tests.stack.store import opened_store
from tests.terminal import Terminal

KEYS = (b"w", b"t")
ANSWERS = (b"5m ", b"time UTC")
"""Titles that are drawn only when the pane has changed: what the eye waits for."""


def figures(values: list[float]) -> str:
    """Median, 99th percentile and largest, in ms."""
    ordered = sorted(values)
    at_99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"median {statistics.median(ordered):.1f} ms, p99 {at_99:.1f} ms, max {ordered[-1]:.1f} ms, n={len(ordered)}"


def drive(terminal: Terminal, seconds: float) -> None:
    """Press keys for some time; print latencies, CPU and memory at the beginning and the end."""
    application = psutil.Process(terminal.process.pid)
    children = {process.pid: process for process in application.children(recursive=True)}
    names = {pid: process.environ().get("CRYPTOSTREAMX_SERVICE", "guard") for pid, process in children.items()}
    everything = {application.pid: application, **children}
    names[application.pid] = "application"

    def memory() -> dict[str, int]:
        return {names[pid]: process.memory_info().rss >> 20 for pid, process in everything.items()}

    latencies: list[float] = []
    samples: list[dict[str, int]] = []
    before = {pid: sum(process.cpu_times()[:2]) for pid, process in everything.items()}
    begin = time.monotonic()
    turn = 0
    while time.monotonic() - begin < seconds:
        key, answer = KEYS[turn % 2], ANSWERS[turn % 2]
        pressed = time.monotonic()
        terminal.press(key)
        if not terminal.seen(answer, 5):
            print(f"key {key!r} was not answered within 5 s")
        latencies.append((time.monotonic() - pressed) * 1000)
        turn += 1
        if turn % 10 == 1:
            samples.append(memory())
        time.sleep(1)
    took = time.monotonic() - begin
    cpu = {names[pid]: sum(p.cpu_times()[:2]) - before[pid] for pid, p in everything.items()}
    print(f"keys answered: {figures(latencies)}")
    third = max(1, len(samples) // 3)
    print(f"{'process':16} {'cpu':>7} {'MiB after 1/3':>14} {'at the end':>11}")
    for name in sorted(cpu):
        print(f"{name:16} {cpu[name] / took:7.1%} {samples[third - 1][name]:14} {samples[-1][name]:11}")


def count(home: Path) -> bool:
    """Drain what is left in Kafka into ClickHouse, and count; return whether nothing is lost or doubled."""
    with Application(home, "--feed", "simulated", CRYPTOSTREAMX_SIMULATED_RATE="1") as drain:
        begin = time.time_ns() // 1_000_000
        drain.running()
        drain.wait_for(
            lambda line: line["type"] == "report" and line["event"]["event"] == "sink" and line["event"]["lag"] == 0,
            300,
        )
        drain.terminate()
    with opened_store(home) as client:
        rows = client.query(
            "SELECT symbol, count(), uniqExact(trade_id), max(trade_id) - min(trade_id) + 1 "
            "FROM crypto.binance_trade FINAL WHERE received_time < {before:Int64} GROUP BY symbol ORDER BY symbol",
            parameters={"before": begin},
        ).result_rows
    print(f"{'symbol':12} {'rows':>12} {'distinct':>12} {'ids from first to last':>24}")
    for symbol, stored, distinct, span in rows:
        print(f"{symbol:12} {stored:12,} {distinct:12,} {span:24,}")
    return bool(rows) and all(stored == distinct == span for _, stored, distinct, span in rows)


def main() -> int:
    """Run; 0 when nothing was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        flags = ("--feed", "simulated", "--home", str(home), "--symbols", ",".join(MARKETS))
        terminal = Terminal(*flags, CRYPTOSTREAMX_SIMULATED_RATE=str(options.rate))
        try:
            if not terminal.seen(ANSWERS[1], 180):
                print("the main screen did not come")
                return 1
            drive(terminal, options.minutes * 60)
            terminal.press(b"q")
            begin = time.monotonic()
            terminal.process.wait(60)
            print(f"quit after {time.monotonic() - begin:.1f} s, exit code {terminal.process.returncode}")
        finally:
            terminal.close()
        whole = count(home)
    print("nothing lost, nothing doubled" if whole else "LOST OR DOUBLED")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
