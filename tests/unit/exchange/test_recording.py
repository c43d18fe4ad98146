import gzip
import math
from pathlib import Path

import pytest

from pipeline.exchange.recording import BrokenRecordingError, Pace, listed, read, survey

TRADE = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":1,'
    b'"p":"1.00000000","q":"1.00000000","T":1723161255342,"m":true,"M":true}}'
)


def write(path: Path, *lines: bytes) -> Path:
    data = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.frames", "a.frames.gz"])
def test_lines_come_back_exactly(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, b"10 " + TRADE, b"20 ", b"20 not json  at all ")
    assert list(read(path)) == [(10, TRADE), (20, b""), (20, b"not json  at all ")]


def test_a_real_recording_is_surveyed(recorded: Path) -> None:
    assert survey(recorded / "trades.frames.gz") == (15_863, ("BTCUSDT", "ETHUSDT"))


@pytest.mark.parametrize("line", [b"", b"123", b"x " + TRADE, TRADE, b"-5 {}", b"1e9 {}", b"5 \xff"])
def test_a_broken_line_is_named(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path / "a.frames", b"10 " + TRADE, line, b"30 {}")
    with pytest.raises(BrokenRecordingError, match=r"a\.frames, line 2: "):
        survey(path)


def test_a_gzip_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.frames.gz", *[b"10 " + TRADE] * 500)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BrokenRecordingError, match="damaged gzip data"):
        survey(path)
    path.write_bytes(b"10 " + TRADE)
    with pytest.raises(BrokenRecordingError, match="line 1: damaged gzip data"):
        survey(path)


def test_hostile_symbols_are_not_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.frames", b"1 " + TRADE, b"2 " + TRADE.replace(b"BTCUSDT", rb"\u001b[2J"))
    assert survey(path) == (2, ("BTCUSDT",))
    assert listed("币安人生USDT")
    assert not any(map(listed, ("", "btcusdt", "A B", "A/B", "[/b]", "A'", "A" * 51)))


def test_the_pace_is_the_recorded_one_times_speed() -> None:
    pace = Pace(2.0)
    assert pace.delay(5_000_000_000, 100.0) == 0
    assert pace.delay(9_000_000_000, 100.5) == pytest.approx(1.5)
    assert pace.delay(9_000_000_000, 103.0) == pytest.approx(-1.0)


def test_after_a_pause_it_goes_on_where_it_stood() -> None:
    pace = Pace(1.0)
    pace.delay(0, 0.0)
    pace.restart()
    assert pace.delay(7_000_000_000, 50.0) == 0
    assert pace.delay(8_000_000_000, 50.0) == pytest.approx(1.0)


def test_at_infinite_speed_everything_is_due() -> None:
    pace = Pace(math.inf)
    assert [pace.delay(ns, 3.0) for ns in (0, 10**18, 5)] == [0, 0, 0]
