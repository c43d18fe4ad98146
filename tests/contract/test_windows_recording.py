"""The recording through Quix's own machinery, against windows that were worked out apart from the project."""

import gzip
import json
from collections.abc import Iterator
from math import isclose
from pathlib import Path
from typing import Any

import pytest

from pipeline.model import WINDOW_MS, Trade, Window
from tests.unit.windows.harness import Harness


def trades_of(recorded: Path) -> Iterator[Trade]:
    with gzip.open(recorded / "trades.frames.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            received, frame = line.split(" ", 1)
            data = json.loads(frame)["data"]
            yield Trade(
                event_type=data["e"],
                event_time=data["E"],
                symbol=data["s"],
                trade_id=data["t"],
                price=float(data["p"]),
                quantity=float(data["q"]),
                trade_time=data["T"],
                market_maker=data["m"],
                ignore=data["M"],
                received_time=int(received) // 1_000_000,
            )


def closed_windows(recorded: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    windows = json.loads((recorded / "windows.json").read_text(encoding="utf-8"))
    return {
        (size, entry["symbol"], entry["window_start"]): entry
        for size in WINDOW_MS
        for entry in windows[size]
        if entry["closed"]
    }


def assert_recorded(windows: list[Window], recorded: Path) -> None:
    expected = closed_windows(recorded)
    assert len(windows) == len(expected) == 12
    for window in windows:
        entry = expected[window.size, window.symbol, window.window_start]
        for name, value in entry.items():
            if name == "closed":
                continue
            found = getattr(window, name)
            assert isclose(found, value, rel_tol=1e-9) if isinstance(value, float) else found == value, (name, window)


def test_windows_of_the_recording(tmp_path: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = Harness(tmp_path, monkeypatch)
    count = 0
    for trade in trades_of(recorded):
        harness.send(trade)
        count += 1
        if count % 2_000 == 0:
            harness.commit()
    assert count == 15_863
    assert_recorded(harness.windows, recorded)
    report = harness.tally.report(0)
    assert (report.processed, report.duplicates, report.late) == (15_863, 0, {"1m": {}, "5m": {}})
