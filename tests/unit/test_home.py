import os
from pathlib import Path

import pytest

from pipeline.home import Home, HomeInUseError, WrongFeedError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def test_a_second_instance_is_told_who_holds_the_home(home: Home) -> None:
    with home.lock(), pytest.raises(HomeInUseError, match=rf"pid {os.getpid()}\) runs in .*another --home"):
        home.lock()


def test_the_home_is_free_once_the_lock_is_closed(home: Home) -> None:
    home.lock().close()
    home.lock().close()


def test_simulated_trades_never_join_live_ones(home: Home) -> None:
    home.claim("live")
    home.claim("live")
    with pytest.raises(WrongFeedError, match="holds trades of the live feed"):
        home.claim("simulated")


def test_only_the_user_reads_it(home: Home) -> None:
    assert home.path.stat().st_mode & 0o077 == 0
