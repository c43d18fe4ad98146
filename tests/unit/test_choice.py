"""The choice of symbols: kept in the home, taken up at the next start, and no stronger than what is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.choice import Choice, read, write
from pipeline.home import Home
from pipeline.settings import Settings, can_be_symbol
from pipeline.stack import Stack

KEPT = Choice(known=("ETHUSDT", "币安人生USDT", "BTCUSDT"), on=("币安人生USDT", "BTCUSDT"))


def stack(home: Path, **flags: object) -> Stack:
    made = Stack(Settings.load({"home": home, "feed": "simulated", **flags}, env_file=None))
    made.open()
    made.close()
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = Home(tmp_path / "home")
    made.create()
    write(made.symbols, KEPT)
    return made.path


def test_it_comes_back_as_it_was_kept(home: Path) -> None:
    assert read(Home(home).symbols) == KEPT
    assert [path.name for path in Home(home).run.iterdir()] == ["symbols.json"]


def test_the_next_start_takes_it_up(home: Path) -> None:
    made = stack(home)
    assert (made.symbols, made.settings.symbols) == (KEPT.known, KEPT.on)


def test_named_symbols_win(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stack(home, symbols="SOLUSDT").symbols == ("SOLUSDT",)
    monkeypatch.setenv("CRYPTOSTREAMX_SYMBOLS", "XRPUSDT,ADAUSDT")
    made = stack(home)
    assert (made.symbols, made.settings.symbols) == (("XRPUSDT", "ADAUSDT"),) * 2


def test_symbols_named_in_the_env_file_win(home: Path, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("CRYPTOSTREAMX_SYMBOLS=DOGEUSDT\n")
    made = Stack(Settings.load({"home": home, "feed": "simulated"}, env_file=env_file))
    made.open()
    made.close()
    assert made.symbols == ("DOGEUSDT",)


def test_a_recording_has_symbols_of_its_own(home: Path, tmp_path: Path) -> None:
    recording = tmp_path / "trades.frames"
    recording.touch()
    assert stack(home, feed=str(recording)).symbols == ("BTCUSDT", "ETHUSDT")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"known":["BTCUSDT"]}',
        b'{"known":["BTCUSDT"],"on":[]}',
        b'{"known":["BTCUSDT"],"on":["ETHUSDT"]}',
        b'{"known":["BTCUSDT","BTCUSDT"],"on":["BTCUSDT"]}',
        b'{"known":["BTC,USDT"],"on":["BTC,USDT"]}',
        b'{"known":["btcusdt"],"on":["btcusdt"]}',
        b'{"known":["\\u001b[31m"],"on":["\\u001b[31m"]}',
    ],
)
def test_a_file_that_cannot_be_used_is_said_and_left_alone(home: Path, content: bytes) -> None:
    Home(home).symbols.write_bytes(content)
    assert stack(home).symbols == ("BTCUSDT", "ETHUSDT")
    assert "symbols.json" in (Home(home).logs / "application.log").read_text()
    assert Home(home).symbols.read_bytes() == content


def test_what_cannot_be_written_leaves_the_old_choice(home: Path) -> None:
    (Home(home).run / "symbols.json.part").mkdir()
    with pytest.raises(OSError, match=r"symbols\.json\.part"):
        write(Home(home).symbols, Choice(("ADAUSDT",), ("ADAUSDT",)))
    assert read(Home(home).symbols) == KEPT


@given(st.text(max_size=45))
def test_what_can_be_a_symbol_survives_the_environment(text: str) -> None:
    if can_be_symbol(text) and text == text.upper():
        flags = {"symbols": (text,)}
        child = Settings.load(flags, env_file=None).environment()["CRYPTOSTREAMX_SYMBOLS"]
        assert Settings.load({"symbols": child}, env_file=None).symbols == (text,)
