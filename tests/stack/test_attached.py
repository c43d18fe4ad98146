"""A pipeline without a screen is watched from a terminal: that one sees everything, orders, and stops nothing."""

import subprocess
import sys
from pathlib import Path

from pipeline.attach.place import place_of
from pipeline.home import Home
from tests.stack.application import Application
from tests.stack.test_screen import LIVE
from tests.terminal import Terminal


def test_it_is_watched_left_running_watched_again_and_its_end_is_seen(tmp_path: Path) -> None:
    flags = ("--attach", "--home", str(tmp_path))
    with Application(tmp_path, "--feed", "simulated") as app:
        app.running()
        first = Terminal(*flags)
        try:
            assert first.seen(LIVE, 20)
            assert first.seen(b"attached", 1)
            assert first.seen(b"SIMULATED", 1)
            assert first.seen(b"BTCUSDT", 20)
            first.press(b"h")
            assert first.seen(b"kafka-2", 10)
            assert first.seen(b"under-replicated", 10)
            since = len(app.lines)
            first.press(b"2")
            assert app.wait_for(lambda line: line["type"] == "symbols", 10, since=since)["symbols"] == ["BTCUSDT"]
            first.press(b"q")
            assert first.process.wait(15) == 0
        finally:
            first.close()
        since = len(app.lines)
        app.wait_for(lambda line: line["type"] == "trades" and line["count"], 10, since=since)
        assert app.process.poll() is None

        second = Terminal(*flags)
        try:
            assert second.seen(LIVE, 20)
            assert second.seen(b"BTCUSDT", 20)
            assert app.terminate() == 0
            assert second.seen(b"has ended", 10)
            second.press(b"q")
            assert second.process.wait(15) == 0
        finally:
            second.close()
        assert app.processes() == []
    assert not place_of(Home(tmp_path)).exists()
    alone = subprocess.run(
        [sys.executable, "-m", "cryptostreamx_tui", *flags], capture_output=True, text=True, timeout=30, check=False
    )
    assert alone.returncode == 2
    assert "no instance runs in" in alone.stderr
