from typing import Any

import msgspec
import pytest

from pipeline.events import ExchangeStats, ProducerStats
from pipeline.ledger import Ledger, Stored

EXCHANGE = ExchangeStats(time=0, clients=1, frames_sent=10, faults={}, total=12, withheld=2, ended=True)
PRODUCER = ProducerStats(
    time=0, frames=11, accepted=7, refused={"bad_number": 2}, control=1, ignored=1, acknowledged=7, failed=0,
    in_flight=0, queue=0, blocked_ms=0, dead_letters=2, reconnects=0, connected=True,
)  # fmt: skip


def ledger(exchange: ExchangeStats = EXCHANGE, *lives: ProducerStats) -> Ledger:
    result = Ledger()
    result.apply(exchange)
    for life in lives or (PRODUCER,):
        result.apply(life)
    return result


def changed(stats: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(stats, **fields)


def test_books_that_balance() -> None:
    assert ledger().unsettled() == []


@pytest.mark.parametrize(
    ("exchange", "producer", "words"),
    [
        ({"ended": False}, {}, "10 of 12 frames sent"),
        ({"frames_sent": 11}, {}, "10 of 11 frames received"),
        ({}, {"accepted": 6, "acknowledged": 6}, "1 received frames are neither"),
        ({}, {"acknowledged": 6}, "6 of 7 trades acknowledged"),
        ({}, {"dead_letters": 1}, "1 of 2 refusals"),
    ],
)
def test_what_is_missing_is_named(exchange: dict[str, Any], producer: dict[str, Any], words: str) -> None:
    problems = ledger(changed(EXCHANGE, **exchange), changed(PRODUCER, **producer)).unsettled()
    assert any(words in problem for problem in problems)


def test_nothing_reported_is_not_nothing_missing() -> None:
    empty = Ledger()
    assert empty.unsettled()
    summary = empty.summary(None, ["x"])
    assert summary["accepted"] is None
    assert summary["stored"] is None
    assert summary["complete"] is False


def test_lives_of_the_producer_add_up_and_the_gap_between_them_is_said() -> None:
    first = changed(PRODUCER, frames=5, accepted=4, refused={}, control=1, ignored=0, acknowledged=4, dead_letters=0)
    second = changed(PRODUCER, frames=7, accepted=5, refused={"bad_number": 1}, acknowledged=5, dead_letters=1)
    second = changed(second, control=1, ignored=0, frames=4)
    books = ledger(EXCHANGE, first, second)
    assert books.total("accepted") == 9
    assert books.refused == {"bad_number": 1}
    assert "the producer was restarted; what it held then is unknown" in books.unsettled()


def test_the_store_is_held_against_what_was_accepted() -> None:
    books = ledger()
    good = Stored(rows=7, due={"1m": 2}, closed={"1m": 2})
    assert books.unstored(good) == []
    bad = Stored(rows=6, due={"1m": 2, "5m": 1}, closed={"1m": 1}, wrong=("1m BTCUSDT 12:00: 3 trades, stored 2",))
    assert books.unstored(bad) == [
        "1m BTCUSDT 12:00: 3 trades, stored 2",
        "6 of 7 accepted trades stored",
        "1 of 2 due 1m windows stored",
        "0 of 1 due 5m windows stored",
    ]
