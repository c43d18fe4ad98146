import logging
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.events import LateWindow
from pipeline.model import Trade
from pipeline.schemas.codec import CodecError
from pipeline.windows.quix import AHEAD_MS, PoisonError, _event_time, _TradeFields
from tests.unit.windows.harness import Harness
from tests.unit.windows.model import assert_windows, expected
from tests.unit.windows.trades import BASE, trade


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    return Harness(tmp_path, monkeypatch)


def test_closes_every_symbols_windows_by_the_partitions_time(harness: Harness) -> None:
    trades = [trade(1, 0, symbol="A"), trade(1, 10, symbol="币安人生USDT"), trade(2, 69_999, symbol="A")]
    for one in trades:
        harness.send(one)
    assert harness.windows == []
    trades.append(trade(3, 70_000, symbol="A"))
    harness.send(trades[-1])
    assert_windows(harness.windows, expected(trades))
    assert [window.symbol for window in harness.windows] == ["A", "币安人生USDT"]
    assert harness.tally.report(0).closed == {"1m": 2, "5m": 0}


def test_a_late_trade_is_counted_and_enters_no_window(harness: Harness) -> None:
    trades = [trade(1, 0), trade(2, 70_000), trade(3, 59_999), trade(3, 59_999), trade(1, 0), trade(4, 400_000)]
    for one in trades:
        harness.send(one)
    assert_windows(harness.windows, expected(trades))
    report = harness.tally.report(0)
    assert report.late == {"1m": {"BTCUSDT": 1}, "5m": {}}
    assert report.late_windows == (LateWindow("1m", "BTCUSDT", BASE, 1),)
    assert (report.processed, report.duplicates) == (6, 2)
    assert report.stream_time == {0: BASE + 400_000}


def test_a_record_under_another_key_is_poison(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        harness.send(trade(1, 0), key=b"ETH\x1b[0mUSDT")
    assert harness.tally.report(0).poison == 1
    assert harness.tally.report(0).processed == 0
    [record] = caplog.records
    assert record.__dict__["reason"] == "wrong_key"
    assert "\x1b" not in record.getMessage()
    assert "binance_trade[0] offset 0" in record.getMessage()


stream = st.lists(
    st.tuples(st.integers(0, 400), st.integers(-90_000, 20_000), st.sampled_from(["A", "B"])), min_size=1, max_size=60
)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(stream, st.sets(st.integers(0, 59), max_size=4), st.sets(st.integers(0, 59), max_size=2))
def test_windows_are_exact_over_disorder_repetition_and_crashes(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, str]],
    commits: set[int],
    crashes: set[int],
) -> None:
    first: dict[tuple[str, int], int] = {}
    trades = []
    for place, (number, jitter, symbol) in enumerate(rows):
        at = first.setdefault((symbol, number), max(0, place * 15_000 + jitter))
        trades.append(trade(number, at, symbol=symbol, price=1.0 + number, quantity=1.0 + place % 3))
        if place % 7 == 3:
            trades.append(trades[place // 2])
    with pytest.MonkeyPatch.context() as monkeypatch:
        harness = Harness(tmp_path_factory.mktemp("state"), monkeypatch)
        at = committed = 0
        while at < len(trades):
            if at in crashes:
                crashes = crashes - {at}
                harness.crash()
                at = committed
                continue
            harness.send(trades[at])
            at += 1
            if at in commits:
                harness.commit()
                committed = at
        model = expected(trades)
        assert_windows(harness.windows, model)
        harness.load()
        assert harness.tally.report(0).late == {size: dict(of) for size, of in model.late.items()}


def test_a_restart_knows_the_late_trades_before_any_record(harness: Harness) -> None:
    for one in (trade(1, 0), trade(2, 70_000), trade(3, 59_999)):
        harness.send(one)
    harness.commit()
    harness.crash()
    assert harness.tally.report(0).late == {"1m": {}, "5m": {}}
    harness.load()
    assert harness.tally.report(0).late == {"1m": {"BTCUSDT": 1}, "5m": {}}
    assert harness.tally.report(0).late_windows == (LateWindow("1m", "BTCUSDT", BASE, 1),)
    assert harness.tally.report(0).stream_time == {0: BASE + 70_000}


@pytest.mark.parametrize(
    ("field", "value"),
    [("price", math.nan), ("price", math.inf), ("price", 0.0), ("quantity", -1.0), ("quantity", math.nan),
     ("price", 1e16), ("quantity", 1e300)],
)  # fmt: skip
def test_what_would_spoil_the_state_is_poison(field: str, value: Any) -> None:
    bad = msgspec.structs.replace(trade(1, 0), **{field: value})
    with pytest.raises(PoisonError, match=field) as caught:
        _TradeFields(lambda _: bad)(b"", None)
    assert caught.value.reason == "out_of_range"


def test_an_undecodable_value_and_a_null_value_are_poison() -> None:
    def decode(_: bytes) -> Trade:
        raise CodecError("starts with byte 7")

    with pytest.raises(PoisonError, match="starts with byte 7"):
        _TradeFields(decode)(b"", None)
    with pytest.raises(PoisonError, match="no value"):
        _event_time(None, None, BASE, None)


@pytest.mark.parametrize("time", [-5, 0, BASE // 1000, BASE + AHEAD_MS + 1, 2**63 - 1])
def test_an_event_time_far_from_any_trade_is_poison(time: int) -> None:
    assert _event_time(trade(1, 5), None, BASE, None) == BASE + 5
    assert _event_time(trade(1, 5), None, BASE + 10 * 365 * AHEAD_MS, None) == BASE + 5, "recordings are old"
    with pytest.raises(PoisonError, match="event_time") as caught:
        _event_time(msgspec.structs.replace(trade(1, 0), event_time=time), None, BASE, None)
    assert caught.value.reason == "out_of_range"
