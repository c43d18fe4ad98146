"""The recording, through the real servers, with and without violence: what is stored is exactly what was sent."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.stack.application import Application
from tests.stack.store import opened_store

TRADES = 15_863


def expected_windows(recorded: Path, size: str) -> dict[tuple[str, int], dict[str, Any]]:
    windows = json.loads((recorded / "windows.json").read_text(encoding="utf-8"))[size]
    return {(w["symbol"], w["window_start"]): w for w in windows if w["closed"]}


def check_store(home: Path, recorded: Path) -> None:
    with opened_store(home) as client:
        rows = client.query("SELECT count(), uniqExact(symbol, trade_id) FROM crypto.binance_trade FINAL").result_rows
        assert rows == [(TRADES, TRADES)]
        for size in ("1m", "5m"):
            table = client.query(f"SELECT * FROM crypto.binance_trade_agg_{size} FINAL")
            stored = {(row["symbol"], row["window_start"]): row for row in table.named_results()}
            expected = expected_windows(recorded, size)
            assert stored.keys() == expected.keys()
            for key, window in expected.items():
                for name in stored[key]:
                    if isinstance(window[name], float):
                        assert math.isclose(stored[key][name], window[name], rel_tol=1e-9), (key, name)
                    else:
                        assert stored[key][name] == window[name], (key, name)


def check_summary(summary: dict[str, Any], recorded: Path) -> None:
    closed = {size: len(expected_windows(recorded, size)) for size in ("1m", "5m")}
    assert summary["missing"] == []
    assert summary["complete"] is True
    assert summary["frames"] == {
        "recorded": TRADES, "sent": TRADES, "withheld": 0, "received": TRADES, "ignored": 0,
    }  # fmt: skip
    assert (summary["accepted"], summary["acknowledged"], summary["stored"]) == (TRADES, TRADES, TRADES)
    assert summary["refused"] == {}
    assert summary["windows_closed"] == summary["windows_due"] == closed


def test_a_replay_arrives_whole_and_ends_by_itself(tmp_path: Path, recorded: Path) -> None:
    feed = str(recorded / "trades.frames.gz")
    with Application(tmp_path, "--feed", feed, "--until-end", "--speed", "max") as app:
        summary = app.finish(180)
        assert app.process.returncode == 0
        assert app.processes() == []
    check_summary(summary, recorded)
    check_store(tmp_path, recorded)


@pytest.mark.parametrize("victim", ["windows", "sink", "kafka-1", "clickhouse"])
def test_a_kill_in_the_middle_changes_nothing_that_is_stored(tmp_path: Path, recorded: Path, victim: str) -> None:
    feed = str(recorded / "trades.frames.gz")
    with Application(tmp_path, "--feed", feed, "--until-end", "--speed", "15") as app:
        app.running()
        app.wait_for(lambda line: line["type"] == "windows", 60)
        since = app.kill(victim)
        again = app.wait_for(
            lambda line: line["type"] == "service" and line["name"] == victim and line["state"] == "ready",
            60,
            since=since,
        )
        assert again["restarts"] >= 1
        assert not app.stats("exchange")["ended"], "the kill came after the end: nothing was tried"
        summary = app.finish(180)
        assert app.process.returncode == 0
    check_summary(summary, recorded)
    check_store(tmp_path, recorded)


def test_everything_else_on_the_sockets_alarms_nobody(tmp_path: Path, recorded: Path) -> None:
    feed = str(recorded / "mixed-20s.frames.gz")
    with Application(tmp_path, "--feed", feed, "--until-end", "--speed", "max") as app:
        summary = app.finish(180)
        assert app.process.returncode == 0
        logged = [line for line in app.lines if line["type"] == "report" and line["event"]["event"] == "log"]
    assert summary["complete"] is True
    assert summary["refused"] == {}
    assert summary["frames"]["ignored"] > 0
    assert summary["accepted"] == summary["stored"] > 0
    assert logged == []
