"""What becomes of each kind of frame, with a writer that only remembers."""

import logging
from collections.abc import Awaitable

import msgspec
import pytest

from pipeline.feed.examine import Control, ControlKind
from pipeline.feed.quality import Quality
from pipeline.model import Reason, Rejection, Source, Trade
from pipeline.producer.frames import LARGEST
from pipeline.producer.intake import RAISED_A_SECOND, Intake

NOW = 1_723_161_256_000
TRADE = Trade("trade", NOW - 1, "BTCUSDT", 7, 2.0, 0.5, NOW - 2, True, True, NOW)


class Remembers:
    def __init__(self) -> None:
        self.trades: list[tuple[str, bytes, int, int]] = []
        self.refusals: list[Rejection] = []

    def send(self, symbol: str, value: bytes, event_time: int, received_time: int) -> None:
        self.trades.append((symbol, value, event_time, received_time))

    def quarantine(self, rejection: Rejection) -> None:
        self.refusals.append(rejection)

    def room(self) -> Awaitable[None] | None:
        return None


@pytest.fixture
def writer() -> Remembers:
    return Remembers()


@pytest.fixture
def intake(writer: Remembers) -> Intake:
    return Intake(Quality(["BTCUSDT"]), lambda trade: b"%d" % trade.trade_id, writer)


def refusal(reason: Reason = Reason.BAD_NUMBER, symbol: str | None = "BTCUSDT", frame: bytes = b"f") -> Rejection:
    return Rejection(reason, "p = 'NaN' \x1b[31m", frame, NOW, "p", symbol)


def test_a_good_trade_is_sent_encoded(intake: Intake, writer: Remembers) -> None:
    intake.trade(TRADE, b"frame", overlapping=False)
    assert writer.trades == [("BTCUSDT", b"7", NOW - 1, NOW)]
    assert (intake.accepted, intake.frames) == (1, 1)


def test_the_way_from_the_exchange_is_counted_as_the_clocks_have_it(intake: Intake) -> None:
    intake.trade(TRADE, b"frame", overlapping=False)
    ahead = msgspec.structs.replace(TRADE, trade_id=8, event_time=NOW + 40)
    intake.trade(ahead, b"frame", overlapping=False)
    intake.trade(ahead, b"frame", overlapping=False)  # a repeat
    filled = msgspec.structs.replace(TRADE, trade_id=9, event_time=NOW - 600_000, source=Source.REST)
    intake.trade(filled, b"frame", overlapping=False)
    assert intake.received_after.take() == {1: 1, -40: 1}


def test_a_repeat_is_refused_and_quarantined(intake: Intake, writer: Remembers) -> None:
    intake.trade(TRADE, b"frame", overlapping=False)
    intake.trade(TRADE, b"frame", overlapping=False)
    assert len(writer.trades) == 1
    assert [(r.reason, r.frame) for r in writer.refusals] == [(Reason.DUPLICATE, b"frame")]
    assert intake.refusals == {"duplicate": 1}


def test_a_repeat_by_overlap_is_only_counted(
    intake: Intake, writer: Remembers, caplog: pytest.LogCaptureFixture
) -> None:
    intake.trade(TRADE, b"frame", overlapping=True)
    intake.trade(TRADE, b"frame", overlapping=True)
    assert (len(writer.trades), writer.refusals, intake.overlapped, intake.frames) == (1, [], 1, 2)
    assert caplog.records == []


def test_controls_and_other_streams_alarm_nobody(
    intake: Intake, writer: Remembers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        intake.control(Control(ControlKind.ACK, 1))
        intake.control(Control(ControlKind.ERROR, None, 2, "no \x1b"))
        intake.ignored()
    assert (intake.controls, intake.ignored_frames, intake.frames) == (2, 1, 3)
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert "\x1b" not in caplog.text


def test_a_refusal_is_logged_cleanly_with_reason_and_symbol(
    intake: Intake, writer: Remembers, caplog: pytest.LogCaptureFixture
) -> None:
    intake.refused(refusal(frame=b"\x1b]0;title\x07\xff"))
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["reason"], record.__dict__["symbol"]) == (
        "WARNING",
        "bad_number",
        "BTCUSDT",
    )
    assert "\x1b" not in record.getMessage()
    assert "bad_number (p)" in record.getMessage()


def test_a_symbol_nobody_asked_for_becomes_no_key(intake: Intake, writer: Remembers) -> None:
    intake.refused(refusal(symbol="\x1b[31m"))
    assert writer.refusals[0].symbol is None


def test_a_flood_of_refusals_is_in_the_file_and_summed_up_above(
    intake: Intake, writer: Remembers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            intake.refused(refusal())
        intake.refused(refusal(Reason.NOT_JSON))
        intake.sum_up()
        intake.refused(refusal())
        intake.sum_up()
    raised = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(caplog.records) == 53
    assert len(raised) == RAISED_A_SECOND + 1 + 1 + 1
    assert "30 more" in raised[RAISED_A_SECOND + 1].getMessage()
    assert len(writer.refusals) == 52
    assert intake.refusals == {"bad_number": 51, "not_json": 1}


def test_only_accepted_frames_of_an_ordinary_size_are_kept(intake: Intake) -> None:
    kept: list[bytes] = []
    intake._keep = kept.append
    intake.trade(TRADE, b"first", overlapping=False)
    intake.trade(TRADE, b"a repeat", overlapping=False)
    intake.trade(msgspec.structs.replace(TRADE, trade_id=8), b" " * (LARGEST + 1), overlapping=False)
    intake.trade(msgspec.structs.replace(TRADE, trade_id=9), b" " * LARGEST, overlapping=False)
    assert kept == [b"first", b" " * LARGEST]
