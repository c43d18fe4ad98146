"""The symbols pane: on and off, added, removed, reordered; what is known of each."""

import asyncio
from pathlib import Path

import pytest

from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.panes.symbols import SymbolsPane
from cryptostreamx_tui.screens.prompt import PromptScreen
from cryptostreamx_tui.widgets.symbol_rows import SymbolRows
from pipeline.events import DaySeen, DayTicker, StackEvent
from pipeline.feed.listing import Listed
from pipeline.feed.rest import RestError
from tests.tui import fakes
from tests.tui.fakes import NOON, FakeStack, application, pressed, tell, text_of
from tests.tui.test_hostile import HOSTILE, harmless

LISTED = (
    *(Listed(f"{base}USDT", "TRADING", base, "USDT") for base in ("ADA", "BTC", "DOGE", "SOL", "币安人生")),
    Listed("BCCUSDT", "BREAK", "BCC", "USDT"),
)
DAY = 86_400_000


def minutes(seconds: int, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")) -> list[StackEvent]:
    """Trades of some seconds before noon, two each second."""
    return [
        fakes.trades(2, NOON - (seconds - n) * 1000, symbols, first=n * 2) for n in range(seconds)
    ]  # fmt: skip


def day(btc: float) -> DaySeen:
    """A 24-hour ticker by which BTCUSDT has risen so much, as a fraction."""
    price = 61_837.63
    return DaySeen(NOON, {"BTCUSDT": DayTicker(price / (1 + btc), price, NOON - DAY, NOON)})


def known(app: CryptoStreamX) -> list[str]:
    """The symbols in the order of their digits."""
    return list(app.state.known)


def words(app: CryptoStreamX) -> str:
    """The screen with single blanks."""
    return " ".join(text_of(app).split())


def listed(stack: FakeStack, *entries: Listed) -> None:
    assert stack.desk is not None
    stack.desk.listed = entries or LISTED


async def test_a_symbol_is_turned_on_and_off_and_says_what_it_waits_for() -> None:
    pressed("symbols", "toggle_symbol")
    app, stack, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("s", "down", "down", "down", "space")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
        assert stack.known == fakes.SYMBOLS
        assert "SOLUSDT subscribing…" in words(app)
        await tell(app, pilot, fakes.producer(NOON, connected=False, pending=("SOLUSDT",), feed_error="x"))
        assert "SOLUSDT connecting…" in words(app)
        await tell(app, pilot, fakes.producer(NOON, unlisted=("SOLUSDT",)))
        assert "SOLUSDT not listed" in words(app)
        await tell(app, pilot, fakes.producer(NOON, symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT")))
        await pilot.press("space")
        await tell(app, pilot)
        assert "SOLUSDT leaving…" in words(app)
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT"))


async def test_a_symbol_is_added_from_the_suggestions() -> None:
    pressed("symbols", "add")
    pressed("prompt", "suggestion")
    app, stack, _ = application()
    listed(stack)
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("s", "a", *"do")
        await app.workers.wait_for_complete()
        await tell(app, pilot)
        assert isinstance(app.screen, PromptScreen)
        assert "DOGEUSDT" in text_of(app)
        assert "DOGE / USDT" in text_of(app)
        await pilot.press("down", "enter")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT", "DOGEUSDT"))
        assert stack.known == (*fakes.SYMBOLS, "DOGEUSDT")
        assert app.screen.query_one(SymbolRows).selected == "DOGEUSDT"
        assert "5● DOGEUSDT" in text_of(app)


async def test_a_name_that_is_not_listed_is_not_added_and_one_with_other_letters_is() -> None:
    pressed("symbols", "add")
    app, stack, _ = application()
    listed(stack)
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("s", "a", *"nousdt", "enter")
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await tell(app, pilot)
        assert "the exchange does not list NOUSDT" in text_of(app)
        line = app.screen.query_one("Input")
        line.value = "币安人生usdt"  # type: ignore[attr-defined]
        await pilot.press("enter")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT", "币安人生USDT"))


async def test_without_the_exchanges_list_it_is_told_before_it_is_added_unchecked() -> None:
    pressed("symbols", "add")
    pressed("prompt", "cancel")
    app, stack, _ = application()
    assert stack.desk is not None
    stack.desk.error = RestError("https://api.binance.com: [Errno -2] Name or service not known")
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("s", "a", "escape")
        assert stack.last() == ("start", None)
        await pilot.press("a", *"adausdt")
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await tell(app, pilot)
        screen = " ".join(text_of(app).split())
        assert "it cannot be checked: https://api.binance.com: [Errno -2] Name or service" in screen
        assert stack.last() == ("start", None), "only told so far"
        await pilot.press("enter")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT", "ADAUSDT"))


async def test_before_the_list_has_come_nothing_is_added() -> None:
    app, stack, _ = application()
    assert stack.desk is not None
    come = asyncio.Event()

    async def slow() -> tuple[Listed, ...]:
        await come.wait()
        return LISTED

    stack.desk.listing = slow  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("s", "a", *"adausdt", "enter")
        await tell(app, pilot)
        assert "still being asked for" in text_of(app)
        come.set()
        await app.workers.wait_for_complete()
        await tell(app, pilot)
        assert "ADA / USDT" in text_of(app)
        await pilot.press("enter")
        await tell(app, pilot)
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT", "ADAUSDT"))


async def test_a_symbol_is_removed_and_one_that_is_on_is_turned_off_by_it() -> None:
    pressed("symbols", "remove")
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("s", "down", "down", "down", "delete")
        await tell(app, pilot)
        assert list(stack.known) == known(app) == ["BTCUSDT", "ETHUSDT", "BNBUSDT"]
        assert stack.last() == ("set_symbols", ("BTCUSDT", "ETHUSDT"))
        assert "SOLUSDT removed" in text_of(app)
        await pilot.press("up", "up", "minus")
        await tell(app, pilot, fakes.producer(NOON))
        assert stack.last() == ("set_symbols", ("ETHUSDT",))
        assert known(app) == ["ETHUSDT", "BNBUSDT"]
        assert "BTCUSDT turned off and removed" in text_of(app)
        await pilot.press("home", "minus")
        await tell(app, pilot)
        assert "the last symbol that is on stays" in text_of(app)
        assert known(app) == ["ETHUSDT", "BNBUSDT"]
        rows = app.screen.query_one(SymbolRows)
        assert [rows.item(n) for n in range(rows.total())] == ["ETHUSDT", "BNBUSDT"]


async def test_symbols_are_reordered_and_the_digits_follow() -> None:
    pressed("symbols", "move")
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        await pilot.press("s", "down", "J")
        await tell(app, pilot)
        assert known(app) == ["ETHUSDT", "BTCUSDT", "SOLUSDT", "BNBUSDT"]
        assert "1●ETH" in text_of(app)
        assert "2●BTC" in text_of(app)
        assert app.screen.query_one(SymbolRows).selected == "BTCUSDT", "the cursor goes with it"
        await pilot.press("shift+down", "J", "J")
        assert known(app)[-1] == "BTCUSDT"
        await pilot.press("K", "shift+up")
        assert known(app) == ["ETHUSDT", "BTCUSDT", "SOLUSDT", "BNBUSDT"]
        await pilot.press("1")
        await tell(app, pilot)
        assert list(stack.known) == known(app), "it is kept for the next start"
        assert stack.last() == ("set_symbols", ("BTCUSDT",)), "the first one is ETHUSDT now"


async def test_changes_are_those_of_their_time_or_unknown() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON - 40_000), fakes.producer(NOON), *minutes(30))
        await pilot.press("s")
        await tell(app, pilot)
        line = next(line for line in text_of(app).splitlines() if "1● BTCUSDT" in line)
        day_change, rate, five, one = line.split()[3:7]
        assert (day_change, five, one) == ("–", "–", "–"), "neither a minute nor five nor a day has been seen"
        assert rate.endswith("/s")


async def test_changes_rate_and_the_last_minute_once_they_are_known() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.started(NOON - 400_000), *minutes(360), fakes.producer(NOON), day(0.05))
        await pilot.press("s")
        await tell(app, pilot)
        line = next(line for line in text_of(app).splitlines() if "1● BTCUSDT" in line)
        assert line.count("%") == 3
        assert any(block in line for block in "▁▂▃▄▅▆▇█")
        chips = text_of(app).splitlines()[1]
        assert "1●BTC 61,8" in chips
        assert "24h▲" in chips
        assert "5m" in chips, "of ETHUSDT five minutes are the longest that is known"


@pytest.mark.parametrize(("size", "each"), [((80, 24), 1), ((120, 40), 2), ((200, 60), 2)])
async def test_a_symbol_takes_two_lines_where_one_cannot_hold_it(size: tuple[int, int], each: int) -> None:
    app, _, _ = application()
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *fakes.started(NOON - 400_000), *minutes(360), fakes.producer(NOON), day(0.05))
        await pilot.press("s", "down", "down")
        await tell(app, pilot)
        rows = app.screen.query_one(SymbolRows)
        assert rows.lines_each == each
        lines = text_of(app).splitlines()
        at = next(index for index, line in enumerate(lines) if "1● BTCUSDT" in line)
        shown = " ".join(lines[at : at + each])
        assert all(part in shown for part in ("%", "/s"))
        assert any(block in shown for block in "▁▂▃▄▅▆▇█")
        assert "2● ETHUSDT" in lines[at + each]
        await pilot.click(SymbolRows, offset=(5, 1 + 3 * each))
        assert rows.selected == "BNBUSDT"


async def test_many_symbols_take_one_line_each() -> None:
    app, stack, _ = application()
    stack._symbols = tuple(f"S{n}USDT" for n in range(60))
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        rows = app.screen.query_one(SymbolRows)
        assert rows.lines_each == 1
        await pilot.press("s", "end")
        await tell(app, pilot)
        assert rows.selected == list(app.state.known)[-1]
        assert str(rows.selected) in text_of(app)


async def test_a_choice_that_cannot_be_kept_is_told_and_holds() -> None:
    pressed("symbols", "toggle_symbol")
    app, stack, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON))
        stack.error = OSError("No space left on device")
        await pilot.press("s", "down", "down", "down", "space")
        await tell(app, pilot)
        assert app.state.wanted == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
        assert "No space left on device" in app.state.log.newest(0).message


async def test_the_list_is_exported(tmp_path: Path) -> None:
    pressed("main", "export")
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *fakes.streaming(NOON), day(0.05))
        await pilot.press("s", "e", "enter")
        await app.workers.wait_for_complete()
        (path,) = (tmp_path / "exports").iterdir()
        head, btc, *others = path.read_text().splitlines()
        assert head.startswith("symbol,on,state,price,change_1m")
        assert btc.startswith("BTCUSDT,True,on,61837.")
        assert others[-1] == "BNBUSDT,False,off,,,,,,", "what is unknown is empty, not 0"


async def test_hostile_names_in_the_list_the_question_and_its_suggestions() -> None:
    app, stack, _ = application()
    stack._symbols = (HOSTILE, "x" * 100_000, "界" * 100)
    listed(stack, *(Listed(name, name, name, name) for name in (HOSTILE, "A" * 100_000, "界" * 100)))
    for size in ((80, 24), (120, 40)):
        async with app.run_test(size=size) as pilot:
            await tell(app, pilot, *fakes.streaming(NOON))
            await pilot.press("s", "a", "a")
            await app.workers.wait_for_complete()
            await tell(app, pilot)
            assert harmless(text_of(app))
            await pilot.press("down", "enter")
            await tell(app, pilot)
            assert harmless(text_of(app))
            await pilot.press("escape", "down", "space", "J", "delete")
            await tell(app, pilot)
            assert harmless(text_of(app))
            assert app.screen.query_one(SymbolsPane).export() is not None
        app, stack, _ = application()
