"""The application in a real pseudo-terminal: what happens to it from outside."""

import pytest

from tests.terminal import Terminal


@pytest.mark.timeout(60)
def test_a_terminal_that_goes_away_ends_it_in_order() -> None:
    terminal = Terminal("--story", "live", module="tests.tui.demo")
    try:
        assert terminal.seen(b"BTCUSDT", 30)
        terminal.go_away()
        terminal.process.wait(20)
    finally:
        terminal.close()
