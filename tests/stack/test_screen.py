"""The application in a terminal, on the real servers: it reaches the live screen, and leaves nothing when it goes."""

from pathlib import Path

import pytest

from tests.stack.application import leftovers
from tests.terminal import Terminal

LIVE = b"time UTC"
"""The tape's title: only on the main screen."""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal("--feed", "simulated", "--home", str(tmp_path))


def test_it_reaches_the_live_screen_answers_keys_and_quits(terminal: Terminal, tmp_path: Path) -> None:
    try:
        assert terminal.seen(LIVE, 120)
        assert terminal.seen(b"BTCUSDT", 30)
        assert terminal.seen(b"SIMULATED", 1)
        terminal.press(b"h")
        assert terminal.seen(b"under-replicated", 10)
        terminal.press(b"q")
        assert terminal.process.wait(60) == 0
        assert leftovers(tmp_path) == []
    finally:
        terminal.close()


def test_a_window_that_is_closed_stops_everything(terminal: Terminal, tmp_path: Path) -> None:
    try:
        assert terminal.seen(LIVE, 120)
        terminal.go_away()
        terminal.process.wait(60)
        assert leftovers(tmp_path) == []
    finally:
        terminal.close()


def test_an_exchange_out_of_reach_is_said_and_the_simulated_one_is_a_persons_choice(tmp_path: Path) -> None:
    home = tmp_path / "live"
    nobody = "ws://127.0.0.1:9"
    terminal = Terminal("--home", str(home), BINANCE_WS_URL=nobody, BINANCE_REST_URL="http://127.0.0.1:9")
    try:
        assert terminal.seen(b"cannot be reached", 120)
        assert not (tmp_path / "simulated").exists()
        terminal.press(b"s")
        assert terminal.seen(b"Use the simulated exchange?", 10)
        terminal.press(b"y")
        assert terminal.seen(b"SIMULATED", 60)
        assert terminal.seen(b"BTCUSDT", 120)
        terminal.press(b"q")
        assert terminal.process.wait(60) == 0
        assert leftovers(home) == leftovers(tmp_path / "simulated") == []
        assert (home / "data" / "feed").read_text(encoding="utf-8") == "live\n"
    finally:
        terminal.close()
