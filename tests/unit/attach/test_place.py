"""Where the socket is: for the user alone, never in the way of a later instance, also below a long path."""

import os
import socket
import stat
from pathlib import Path

import pytest

from pipeline.attach import place
from pipeline.home import Home


def home_at(path: Path) -> Home:
    home = Home(path)
    home.create()
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_at(tmp_path / "h")


@pytest.fixture
def deep(tmp_path: Path) -> Home:
    return home_at(tmp_path / ("d" * 60) / ("e" * 60))


def test_the_socket_is_for_this_user_alone_and_goes_with_the_instance(home: Home) -> None:
    with place.bind(home):
        path = place.place_of(home)
        assert path.is_socket()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    place.clear(home)
    assert not path.exists()
    assert list(home.run.iterdir()) == []


def test_a_long_home_has_its_socket_elsewhere_and_says_where(deep: Home) -> None:
    with place.bind(deep):
        path = place.place_of(deep)
        assert len(os.fsencode(path)) <= place.LONGEST
        assert path.is_socket()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    place.clear(deep)
    assert not path.parent.exists()
    assert list(deep.run.iterdir()) == []


@pytest.mark.parametrize("name", ["home", "deep"])
def test_what_a_killed_instance_left_is_replaced(name: str, request: pytest.FixtureRequest) -> None:
    home: Home = request.getfixturevalue(name)
    place.bind(home).close()  # its file stays
    left = place.place_of(home)
    assert left.exists()
    assert not place.answers(home)
    with place.bind(home) as again:
        again.listen()
        assert place.answers(home)
        assert left == place.place_of(home) or not left.exists()
    place.clear(home)


def test_instances_in_neighbouring_homes_are_found(tmp_path: Path) -> None:
    mine, other = home_at(tmp_path / "live"), home_at(tmp_path / "simulated")
    (tmp_path / "a file").write_text("no home", encoding="utf-8")
    assert place.running_beside(mine) == []
    with place.bind(other) as made:
        made.listen()
        assert place.running_beside(mine) == [other.path]
    assert place.running_beside(Home(tmp_path / "nowhere" / "live")) == []


def test_no_instance_has_ever_been_in_this_home(home: Home) -> None:
    assert not place.answers(home)
    with socket.socket(socket.AF_UNIX) as connection, pytest.raises(FileNotFoundError):
        connection.connect(str(place.place_of(home)))
