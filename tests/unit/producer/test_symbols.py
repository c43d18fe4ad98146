"""Which symbols get subscribed, with a scripted list and a feed that only remembers."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from pipeline.feed.quality import Quality
from pipeline.feed.rest import RestError
from pipeline.producer.symbols import Symbols, names
from tests.unit.feed.small_exchange import until


class Listing:
    """Answers from a list of answers: a set of listed symbols, or an error."""

    def __init__(self, *answers: set[str] | RestError) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    async def known(self, symbols: Sequence[str]) -> set[str]:
        self.asked.append(list(symbols))
        answer = self.answers.pop(0)
        if isinstance(answer, RestError):
            raise answer
        return answer & set(symbols)


class Wants:
    def __init__(self) -> None:
        self.wanted: list[tuple[str, ...]] = []

    def want(self, symbols: Iterable[str]) -> None:
        self.wanted.append(tuple(symbols))


def of(listing: Listing) -> tuple[Symbols, Quality, Wants]:
    quality, feed = Quality(), Wants()
    info: Any = listing
    wants: Any = feed
    return Symbols(info, quality, wants), quality, feed


async def test_an_unknown_symbol_is_said_and_not_subscribed(caplog: pytest.LogCaptureFixture) -> None:
    symbols, quality, feed = of(Listing({"BTCUSDT"}))
    symbols.ask(["BTCUSDT", "NO\x1bUSDT"])
    await until(lambda: feed.wanted)
    assert feed.wanted == [("BTCUSDT",)]
    assert list(quality.ids()) == ["BTCUSDT"]
    (record,) = caplog.records
    assert record.getMessage() == "NO\\x1bUSDT is not listed by the exchange: not subscribed"
    assert record.__dict__["reason"] == "unknown_symbol"


async def test_what_is_known_is_not_asked_again() -> None:
    listing = Listing({"BTCUSDT"}, {"ETHUSDT"}, set())
    symbols, _, feed = of(listing)
    symbols.ask(["BTCUSDT"])
    await until(lambda: len(feed.wanted) == 1)
    symbols.ask(["BTCUSDT", "ETHUSDT"])
    await until(lambda: len(feed.wanted) == 2)
    symbols.ask(["ETHUSDT"])
    await until(lambda: len(feed.wanted) == 3)
    assert listing.asked == [["BTCUSDT"], ["ETHUSDT"], []]
    assert feed.wanted[-1] == ("ETHUSDT",)


async def test_without_an_answer_they_are_subscribed_anyway_and_checked_later(caplog: pytest.LogCaptureFixture) -> None:
    symbols, _, feed = of(Listing(RestError("HTTP 429", retry_after=0.05), {"BTCUSDT"}))
    symbols.ask(["BTCUSDT", "NOUSDT"])
    await until(lambda: len(feed.wanted) == 2)
    assert feed.wanted == [("BTCUSDT", "NOUSDT"), ("BTCUSDT",)]
    assert "BTCUSDT, NOUSDT not checked against the exchange's list, subscribed anyway: HTTP 429" in caplog.text


async def test_the_last_demand_counts() -> None:
    symbols, _, feed = of(Listing({"BTCUSDT", "ETHUSDT"}, {"BTCUSDT", "ETHUSDT"}))
    symbols.ask(["BTCUSDT"])
    symbols.ask(["ETHUSDT"])
    await until(lambda: feed.wanted)
    await asyncio.sleep(0)
    assert feed.wanted == [("ETHUSDT",)]


def test_many_names_are_shortened() -> None:
    assert names([f"S{n}" for n in range(12)]).endswith("S9 and 2 more")
