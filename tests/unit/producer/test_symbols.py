"""Which symbols get subscribed, with a scripted list and a feed that only remembers."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from pipeline.feed.quality import Quality
from pipeline.feed.rest import RestError
from pipeline.producer import symbols as symbols_module
from pipeline.producer.symbols import Symbols, names
from tests.unit.feed.small_exchange import until


class Listing:
    """Answers from a list of answers: a set of listed symbols, or an error."""

    def __init__(self, *answers: set[str] | RestError) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []
        self.slow: asyncio.Event | None = None

    async def known(self, symbols: Sequence[str]) -> set[str]:
        self.asked.append(list(symbols))
        if self.slow is not None:
            await self.slow.wait()
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
    assert symbols.unlisted == ("NO\x1bUSDT",)
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


async def test_what_needs_no_check_takes_effect_though_rest_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols_module, "PATIENCE", 60.0)
    listing = Listing({"BTCUSDT", "ETHUSDT"}, set())
    symbols, _, feed = of(listing)
    symbols.ask(["BTCUSDT", "ETHUSDT"])
    await until(lambda: len(feed.wanted) == 1)
    listing.slow = asyncio.Event()
    symbols.ask(["BTCUSDT", "NEWUSDT"])
    await until(lambda: len(listing.asked) == 2)
    assert feed.wanted[1:] == [("BTCUSDT",)], "ETHUSDT is left, NEWUSDT is not there yet"
    symbols.cancel()


async def test_rest_that_is_slow_is_not_waited_for_and_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols_module, "PATIENCE", 0.01)
    listing = Listing({"BTCUSDT"}, {"ETHUSDT"})
    listing.slow = asyncio.Event()
    symbols, _, feed = of(listing)
    symbols.ask(["BTCUSDT", "NOUSDT"])
    await until(lambda: len(feed.wanted) == 1)
    assert feed.wanted == [("BTCUSDT", "NOUSDT")]
    listing.slow.set()
    await until(lambda: len(feed.wanted) == 2)
    assert feed.wanted[1] == ("BTCUSDT",)


async def test_what_is_streamed_unchecked_stays_while_something_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols_module, "PATIENCE", 0.01)
    listing = Listing(RestError("HTTP 418", retry_after=60), RestError("HTTP 418", retry_after=60))
    symbols, _, feed = of(listing)
    symbols.ask(["BTCUSDT", "ETHUSDT"])
    await until(lambda: len(feed.wanted) == 1)
    listing.slow = asyncio.Event()
    symbols.ask(["BTCUSDT"])
    await until(lambda: len(feed.wanted) == 2)
    assert feed.wanted == [("BTCUSDT", "ETHUSDT"), ("BTCUSDT",)]
    symbols.cancel()


async def test_the_last_demand_counts() -> None:
    symbols, _, feed = of(Listing({"BTCUSDT", "ETHUSDT"}, {"BTCUSDT", "ETHUSDT"}))
    symbols.ask(["BTCUSDT"])
    symbols.ask(["ETHUSDT"])
    await until(lambda: feed.wanted)
    await asyncio.sleep(0)
    assert feed.wanted == [("ETHUSDT",)]


def test_many_names_are_shortened() -> None:
    assert names([f"S{n}" for n in range(12)]).endswith("S9 and 2 more")
