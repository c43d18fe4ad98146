"""Every line of "input it must refuse", through the real pipeline: refused by its reason, counted, quarantined."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pipeline.model import Reason
from tests.stack.application import Application
from tests.stack.store import opened_store

E = 1_723_161_255_343
GOOD = {
    "e": "trade", "E": E, "s": "BTCUSDT", "t": 1, "p": "61837.63000000", "q": "0.02000000", "T": E - 1, "m": True,
    "M": True,
}  # fmt: skip


def frame(stream: str = "btcusdt@trade", **changes: object) -> str:
    data = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


def raw(field: str, text: str) -> str:
    """A frame in which a field's value is replaced by text that json.dumps would not write."""
    return frame(**{field: "@@"}).replace('"@@"', text)


CASES: list[tuple[str, Reason]] = [
    (frame(p=None), Reason.MISSING_FIELD),
    (frame(t=None), Reason.MISSING_FIELD),
    (frame(E=None), Reason.MISSING_FIELD),
    (frame(p="NaN"), Reason.BAD_NUMBER),
    (frame(p="Infinity"), Reason.BAD_NUMBER),
    (frame(q="1e400"), Reason.BAD_NUMBER),
    (frame(p="1_000"), Reason.BAD_NUMBER),
    (frame(p="٣"), Reason.BAD_NUMBER),
    (raw("p", "NaN"), Reason.NOT_JSON),
    (frame(p=True), Reason.WRONG_TYPE),
    (frame(m="false"), Reason.WRONG_TYPE),
    (frame(t=1.9), Reason.WRONG_TYPE),
    (frame(E=E // 1000), Reason.WRONG_UNIT),
    (frame(E=E * 1000), Reason.WRONG_UNIT),
    (frame(p="-1.00000000"), Reason.OUT_OF_RANGE),
    (frame(q="-0.10000000"), Reason.OUT_OF_RANGE),
    (frame(e="aggTrade"), Reason.WRONG_EVENT),
    ("[]", Reason.NOT_A_TRADE),
    ("null", Reason.NOT_A_TRADE),
    ('"text"', Reason.NOT_A_TRADE),
    ("42", Reason.NOT_A_TRADE),
    (frame()[:60], Reason.NOT_JSON),
    (frame() + "x", Reason.NOT_JSON),
    ("\ufeff" + frame(), Reason.NOT_JSON),
    (frame(t=2**63), Reason.OUT_OF_RANGE),
    (raw("t", "9" * 5000), Reason.OUT_OF_RANGE),
    (frame(s=7), Reason.WRONG_TYPE),
    (raw("s", '"\\ud800"'), Reason.NOT_JSON),
    ("[" * 100_000, Reason.NOT_JSON),
    (frame().replace('"p":', '"p":"1.00000000","p":'), Reason.DUPLICATE_FIELD),
    (frame(s="ETHUSDT"), Reason.WRONG_STREAM),
    (frame(x="y" * 1_000_000), Reason.TOO_LARGE),
    (frame(s="\x1b]0;x\x07"), Reason.WRONG_STREAM),
    (frame(s="[/b]"), Reason.WRONG_STREAM),
    (frame(s=""), Reason.WRONG_STREAM),
    (frame(s="BTC\u202eUSDT"), Reason.WRONG_STREAM),
    (frame(s="'; DROP TABLE x"), Reason.WRONG_STREAM),
    (frame(t=10), Reason.DUPLICATE),
]


@pytest.fixture
def recording(tmp_path: Path) -> tuple[Path, int]:
    """Good trades with every bad frame among them; returns the file and the number of good trades."""
    lines = []
    good = 0
    for number, (bad, _) in enumerate(CASES):
        good += 1
        lines += [frame(t=10 + number), bad]
    path = tmp_path / "hostile.frames"
    path.write_bytes(b"".join(f"{(E + n) * 1_000_000} {line}\n".encode() for n, line in enumerate(lines)))
    return path, good


def test_bad_input_is_refused_counted_and_quarantined(tmp_path: Path, recording: tuple[Path, int]) -> None:
    path, good = recording
    home = tmp_path / "home"
    with Application(home, "--feed", str(path), "--until-end", "--speed", "max") as app:
        summary = app.finish(180)
        assert app.process.returncode == 0, app.story()
        letters = Counter(
            letter[3] for line in app.lines if line["type"] == "dead_letters" for letter in line["letters"]
        )
    expected = Counter(str(reason) for _, reason in CASES)
    assert summary["complete"] is True
    assert summary["refused"] == dict(expected)
    assert summary["accepted"] == summary["stored"] == good
    assert letters == expected
    log = (home / "logs" / "producer.log").read_text(encoding="utf-8")
    assert all(reason in log for reason in expected)
    assert "\x1b" not in log
    with opened_store(home) as client:
        found = client.query("SELECT symbol, trade_id, price FROM crypto.binance_trade FINAL ORDER BY trade_id")
        assert found.result_rows == [("BTCUSDT", 10 + n, 61837.63) for n in range(good)]
