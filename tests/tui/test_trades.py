"""The trades pane: ticks, filter, freezing, a trade opened, export."""

import json
from pathlib import Path

import msgspec
import pytest

from cryptostreamx_tui.panes.trades import HEADER, TradesPane
from cryptostreamx_tui.screens.trade import GONE, TradeScreen
from cryptostreamx_tui.state import TRADES_KEPT
from cryptostreamx_tui.widgets.tape import Tape
from pipeline.events import ChildReport, FrameFound, ReadTrade, StackEvent, TradesRead
from tests.tui import fakes
from tests.tui.fakes import NOON, application, pressed, tell, text_of
from tests.tui.test_hostile import HOSTILE, harmless

MEGABYTE = "x" * 1_000_000


def batch(*prices: float, first: int = 0, symbol: str = "BTCUSDT", now: int = NOON) -> TradesRead:
    """Trades of one symbol, one a millisecond."""
    made = (fakes.trade(first + n, symbol, now - 100 + n, price) for n, price in enumerate(prices))
    return TradesRead(tuple(made), now)


def row(screen: str, text: str) -> str:
    """The line of the list that holds a text."""
    return next(line for line in screen.splitlines()[3:] if text in line)


def frame(symbol: str, trade_id: int, text: str | None) -> StackEvent:
    return ChildReport("producer", FrameFound(symbol=symbol, trade_id=trade_id, frame=text))


async def test_a_price_shows_its_move_against_the_symbols_own_last_one() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON), batch(100.0, 101.25, 101.25, 99.5))
        await tell(app, pilot, batch(7.0, first=50, symbol="ETHUSDT"), batch(99.75, first=60, now=NOON + 100))
        lines = text_of(app).splitlines()
        signs = [next((sign for sign in "▲▼" if sign in line[30:]), "=") for line in lines if "USDT  " in line][:6]
        assert signs == ["▲", "=", "▼", "=", "▲", "="], "newest first; the first of a symbol has nothing before it"


async def test_a_frozen_price_keeps_its_sign_when_the_tape_has_moved_on() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON), batch(100.0, 101.25))
        await pilot.press("slash", *"btc", "enter", "down")
        before = row(text_of(app), "101.25")
        assert "101.25▲" in before
        await tell(app, pilot, fakes.trades(TRADES_KEPT + 10, NOON + 1000, first=1000))
        assert row(text_of(app), "101.25") == before


async def test_the_filter_narrows_while_it_is_typed_and_says_what_is_wrong() -> None:
    pressed("main", "filter")
    pressed("filter", "keep", "clear")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("slash", *"eth")
        await tell(app, pilot)
        screen = text_of(app)
        assert "eth: 100 of the last 200" in screen
        assert "BTCUSDT  ▲" not in screen
        await pilot.press("space", ">")
        await tell(app, pilot)
        assert "a number belongs after >" in text_of(app)
        assert "eth: 100 of the last 200" in text_of(app), "the filter that was understood holds"
        await pilot.press("1", "0", "0")
        await tell(app, pilot)
        assert "a number belongs after >" not in text_of(app)
        tape = app.screen.query_one(Tape)
        shown = [tape.item(n)[0].trade for n in range(tape.total())]
        assert shown
        assert all(trade.symbol == "ETHUSDT" and trade.price * trade.quantity >= 100 for trade in shown)
        await pilot.press("enter", "slash", "escape")
        await tell(app, pilot)
        assert tape.only is None
        assert tape.total() == 200


async def test_a_filter_that_nothing_matches_says_so() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("slash", *"doge", "enter")
        await tell(app, pilot)
        assert "no trade matches doge" in text_of(app)


async def test_frozen_with_a_filter_both_counts_are_told() -> None:
    pressed("main", "freeze")
    app, _, clock = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("slash", *"btc", "enter", "p")
        await tell(app, pilot, batch(*[5.0] * 7, first=1000), batch(*[5.0] * 20, first=2000, symbol="ETHUSDT"))
        assert "❄ +7 of 27" in text_of(app)
        await pilot.press("h")  # out of sight, it counts on
        for second in range(4):
            clock.forward(1000)
            many = fakes.trades(TRADES_KEPT // 2, clock(), ("BTCUSDT", "ETHUSDT"), first=5000 + second * TRADES_KEPT)
            await tell(app, pilot, many)
        await pilot.press("t")
        await tell(app, pilot)
        assert f"❄ +{7 + TRADES_KEPT:,} of {27 + 2 * TRADES_KEPT:,}" in text_of(app)
        await tell(app, pilot, fakes.trades(3 * TRADES_KEPT, clock(), first=100_000))
        assert "❄ ≥" in text_of(app), "not all of them could be looked at"
        await pilot.press("p")
        await tell(app, pilot)
        assert "❄" not in text_of(app)


async def test_an_opened_trade_asks_for_its_frame_and_shows_where_it_stands() -> None:
    pressed("rows", "open")
    app, stack, clock = application()
    async with app.run_test(size=(120, 40)) as pilot:
        read = ReadTrade(fakes.trade(1).trade, 3, 4711, NOON, schema_id=12)
        await tell(app, pilot, *fakes.started(NOON), TradesRead((read,), NOON))
        await pilot.press("down", "enter")
        await tell(app, pilot)
        assert stack.last() == ("ask_frame", ("BTCUSDT", 1001))
        screen = text_of(app)
        assert "asking the producer…" in screen
        for name, value in (("topic", "binance_trade"), ("partition", "3"), ("offset", "4711"), ("schema id", "12")):
            assert row(screen, f"   {name} ").split()[-1] == value
        clock.forward(4_000)
        await tell(app, pilot)
        assert "the producer has not answered yet" in text_of(app)
        await tell(app, pilot, frame("ETHUSDT", 1001, "another"), frame("BTCUSDT", 1001, '{"stream":"btcusdt@trade"}'))
        assert '{"stream":"btcusdt@trade"}' in text_of(app)
        await pilot.press("y")
        assert '{"stream":"btcusdt@trade"}' in app.clipboard
        await pilot.press("escape", "enter")
        await tell(app, pilot, frame("BTCUSDT", 1001, None))
        assert GONE[:40] in text_of(app)


async def test_a_trade_is_longer_than_a_small_screen_and_scrolls() -> None:
    pressed("page", "scroll_bottom", "scroll_top")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("down", "enter")
        await tell(app, pilot)
        assert "asking the producer…" not in text_of(app)
        await pilot.press("end")
        await tell(app, pilot)
        assert "asking the producer…" in text_of(app)
        await pilot.press("home")
        await tell(app, pilot)
        assert "side (taker)" in text_of(app)


async def test_a_producer_that_cannot_be_asked_is_told_on_the_page() -> None:
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        stack.error = RuntimeError("the producer does not run")
        await pilot.press("down", "enter")
        await tell(app, pilot)
        assert isinstance(app.screen, TradeScreen)
        assert "not known: the producer does not run" in text_of(app)


async def test_the_selected_row_stays_where_it_is_while_trades_arrive() -> None:
    pressed("rows", "cursor")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("down", "down", "down")
        before = text_of(app).splitlines()[4:22]
        await tell(app, pilot, fakes.trades(500, NOON + 1000, first=1000))
        assert text_of(app).splitlines()[4:22] == before


async def test_what_is_shown_is_exported(tmp_path: Path) -> None:
    pressed("main", "export")
    pressed("choose", "choose")
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("slash", *"eth", "space", *"sell", "enter", "e", "down", "enter")
        await app.workers.wait_for_complete()
        (path,) = (tmp_path / "exports").iterdir()
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        tape = app.screen.query_one(Tape)
        assert len(rows) == tape.total() > 0
        assert tuple(rows[0]) == HEADER
        assert {(one["symbol"], one["side"]) for one in rows} == {("ETHUSDT", "sell")}
        assert rows[0]["trade_id"] == tape.item(0)[0].trade.trade_id


async def test_without_a_trade_there_is_nothing_to_export() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON))
        assert app.screen.query_one(TradesPane).export() is None
        await pilot.press("e")
        await tell(app, pilot)
        assert "there is nothing to export" in text_of(app)


@pytest.mark.parametrize(
    "hostile", [HOSTILE, MEGABYTE, "\u202e" * 50, "界" * 200], ids=("controls", "megabyte", "right-to-left", "wide")
)
async def test_hostile_text_in_the_tape_the_filter_and_the_frame(hostile: str) -> None:
    app, stack, _ = application()
    one = msgspec.structs.replace(
        fakes.trade(1).trade, symbol=hostile, event_type=hostile, price=1e300, quantity=1e-300
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON), TradesRead((ReadTrade(one, 0, 1, NOON),) * 3, NOON))
        assert harmless(text_of(app))
        await pilot.press("slash")
        app.screen.query_one(TradesPane).filter_line.value = hostile[:500] + " >1"  # type: ignore[union-attr]
        await pilot.pause()
        await tell(app, pilot)
        assert harmless(text_of(app))
        await pilot.press("escape", "down", "enter")
        await tell(app, pilot, frame(hostile, one.trade_id, hostile + '{"s":"\x1b]0;x\x07"}'))
        assert harmless(text_of(app))
        await pilot.press("end")
        await tell(app, pilot)
        assert harmless(text_of(app))
        await pilot.press("escape")
        stack.error = ValueError(hostile)
        await pilot.press("enter")
        await tell(app, pilot)
        assert harmless(text_of(app))
