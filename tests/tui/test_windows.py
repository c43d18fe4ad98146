"""The windows' pane by its keys."""

import csv
import io
import json
import re
from pathlib import Path

import msgspec
import pytest

from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.panes.windows import WindowsPane
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.widgets.candles import Candles
from cryptostreamx_tui.widgets.window_table import UnfinishedRows, WindowTable
from pipeline.events import HistoryRead, TradesRead, WindowsRead
from tests.tui.fakes import NOON, application, figures, pressed, started, tell, text_of, trade, window
from tests.tui.window_story import HOLE, MINUTE, NOW_MINUTE, closed, running, story


def pane(app: CryptoStreamX) -> WindowsPane:
    return app.screen.query_one(WindowsPane)


def table(app: CryptoStreamX, size: str = "1m") -> WindowTable:
    return app.screen.query_one(f"#windows-{size}", WindowTable)


def starts(app: CryptoStreamX, size: str = "1m") -> list[tuple[int, str]]:
    rows = table(app, size)
    return [(rows.item(i).window.window_start, rows.item(i).window.symbol) for i in range(rows.total())]


def in_sight(app: CryptoStreamX) -> list[str]:
    return [str(widget.id) for widget in pane(app).query("WindowTable, Candles") if widget.display]


async def test_next_and_previous_symbol_then_all_again() -> None:
    pressed("windows", "next_symbol", "previous_symbol")
    app, _, _ = application()
    async with app.run_test(size=(120, 40)) as pilot:
        await tell(app, pilot, *story())
        await pilot.press("w")
        assert {symbol for _, symbol in starts(app)} == {"BTCUSDT", "ETHUSDT"}
        await pilot.press("n")
        await tell(app, pilot)
        assert {symbol for _, symbol in starts(app)} == {symbol for _, symbol in starts(app, "5m")} == {"BTCUSDT"}
        assert "Windows  BTCUSDT" in text_of(app)
        await pilot.press("n", "n")
        await tell(app, pilot)
        assert starts(app) == []
        assert "no window of SOLUSDT has closed yet" in text_of(app)
        await pilot.press("N", "N", "N")
        await tell(app, pilot)
        assert len(starts(app)) == 120
        assert "Windows  all symbols" in text_of(app)
        await pilot.press("N")
        assert pane(app).symbol == "BNBUSDT"


async def test_tables_candles_and_both_and_the_pane_keeps_its_keys() -> None:
    pressed("windows", "view")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *story())
        await pilot.press("w")
        assert in_sight(app) == ["windows-1m", "windows-5m"]
        await pilot.press("v")
        await tell(app, pilot)
        assert in_sight(app) == ["candles-1m"]
        assert "1m BTCUSDT 12:04 unfinished O " in text_of(app)
        await pilot.press("n", "n")
        await tell(app, pilot)
        assert "1m ETHUSDT 12:04 unfinished O " in text_of(app)
        assert {"▀", "┃", "░"} & set(text_of(app))
        await pilot.press("v")
        await tell(app, pilot)
        assert in_sight(app)[:2] == ["candles-1m", "windows-1m"]
        await pilot.press("v")
        await tell(app, pilot)
        assert in_sight(app) == ["windows-1m", "windows-5m"]
        assert table(app).has_focus


async def test_a_large_screen_begins_with_both_and_a_choice_stays() -> None:
    app, _, _ = application()
    async with app.run_test(size=(200, 60)) as pilot:
        await tell(app, pilot, *story())
        assert "candles-1m" in in_sight(app)
        assert "windows-1m" in in_sight(app)
        await pilot.press("w", "v")
        await tell(app, pilot)
        assert pane(app).chosen == "tables"
        await pilot.resize_terminal(80, 24)
        await tell(app, pilot)
        await pilot.resize_terminal(200, 60)
        await tell(app, pilot)
        assert in_sight(app) == ["windows-1m", "windows-5m"]


async def test_the_unfinished_windows_stand_apart_and_are_called_so() -> None:
    app, _, _ = application()
    async with app.run_test(size=(120, 24)) as pilot:
        await tell(app, pilot, *started(NOON))
        await pilot.press("w")
        assert "unfinished: no trade of a window that is open has been read" in text_of(app)
        assert "no history yet" in text_of(app)
        await tell(app, pilot, *story())
        every = text_of(app).splitlines()
        lines = every[next(i for i, line in enumerate(every) if "unfinished" in line) :]
        assert lines[0].split()[:2] == ["unfinished", "symbol"]
        assert lines[1].split()[:4] == ["1m", "12:04", "BTCUSDT", "…"]
        assert "29 s left" in lines[1]
        assert "no history yet" not in text_of(app)
        assert "since 12:04:00" in text_of(app), "of the 5m window only what was read is known"
        more = TradesRead((trade(9_999_000, "BTCUSDT", NOW_MINUTE + MINUTE + 5_000),), NOON)
        await tell(app, pilot, more)
        assert "closing" in text_of(app)
        await tell(app, pilot, WindowsRead((closed("BTCUSDT", 0),), NOON))
        assert [place[1:] for place in pane(app).query_one(UnfinishedRows).places() if place[0] == "BTCUSDT"] == [
            ("1m", NOW_MINUTE + MINUTE),
            ("5m", NOON // 300_000 * 300_000 + 300_000),
            ("5m", NOON // 300_000 * 300_000),
        ]


async def test_many_symbols_leave_the_tables_their_room() -> None:
    app, _, _ = application()
    names = tuple(f"S{number}USDT" for number in range(40))
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *started(NOON))
        app.state.want(names)
        await pilot.press("w")
        await tell(app, pilot, TradesRead(tuple(trade(1, name) for name in names), NOON))
        assert re.search(r"and 7\d more: n shows one symbol", text_of(app))
        assert table(app).size.height > 4


async def test_flags_stand_beside_a_window_and_are_explained() -> None:
    pressed("rows", "open")
    app, _, _ = application()
    async with app.run_test(size=(140, 60)) as pilot:
        await tell(app, pilot, *story())
        await pilot.press("w", "m", "n")
        await tell(app, pilot)
        lines = text_of(app).splitlines()
        assert any("12:01" in line and "◐" in line and "partial" in line for line in lines)
        await pilot.press(*["down"] * HOLE, "enter")
        await tell(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert "partial: trades of its span were not received" in text_of(app)
        assert "trade ids are missing: 7 inside" in text_of(app)
        await pilot.press("escape", "escape", "n")
        await tell(app, pilot)
        assert any("12:02" in line and "late 3" in line and "!" in line for line in text_of(app).splitlines())
        better = msgspec.structs.replace(closed("ETHUSDT", 1), trade_count=103)
        await tell(app, pilot, WindowsRead((better,), NOON))
        assert any("12:03" in line and "✎" in line and "corrected" in line for line in text_of(app).splitlines())
        await pilot.press("down", "down", "enter")
        await tell(app, pilot)
        assert "late 3: so many trades came after it had closed" in text_of(app)


async def test_a_filter_by_symbol_and_flag() -> None:
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *story())
        await pilot.press("w", "slash", *"eth")
        await tell(app, pilot)
        assert {symbol for _, symbol in starts(app)} == {"ETHUSDT"}
        assert {place[0] for place in pane(app).query_one(UnfinishedRows).places()} == {"ETHUSDT"}
        await pilot.press("escape", "slash", *"btc partial", "enter")
        await tell(app, pilot)
        assert starts(app) == [(NOW_MINUTE - HOLE * MINUTE, "BTCUSDT")]
        await tell(app, pilot, WindowsRead((window(50),), NOON))
        assert len(starts(app)) == 1, "what comes is filtered too"


async def test_the_view_stands_still_and_counts_what_closes_meanwhile() -> None:
    pressed("main", "freeze")
    app, _, _ = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *story())
        await pilot.press("w", "down")
        before = starts(app)
        await tell(app, pilot, WindowsRead((closed("BTCUSDT", 0), closed("ETHUSDT", 0)), NOON))
        assert starts(app) == before
        assert "❄ +2" in text_of(app)
        await pilot.press("escape")
        assert starts(app)[0] == (NOW_MINUTE, "BTCUSDT")
        await pilot.press("p")
        assert table(app).held
        assert table(app, "5m").held


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
async def test_what_is_listed_is_exported(tmp_path: Path, ending: str) -> None:
    pressed("main", "export")
    app, stack, _ = application()
    stack.settings = stack.settings.model_copy(update={"home": tmp_path})
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *started(NOON))
        await pilot.press("w", "e")
        await tell(app, pilot)
        assert "there is nothing to export" in text_of(app)
        await tell(app, pilot, *story())
        await pilot.press("n", "e", *(["down"] if ending == "jsonl" else []), "enter")
        await app.workers.wait_for_complete()
    [made] = (tmp_path / "exports").iterdir()
    text = made.read_text()
    rows = list(csv.DictReader(io.StringIO(text))) if ending == "csv" else [json.loads(x) for x in text.splitlines()]
    assert len(rows) == 60 + 11
    assert {row["symbol"] for row in rows} == {"BTCUSDT"}
    wanted = closed("BTCUSDT", HOLE)
    [row] = [row for row in rows if row["size"] == "1m" and int(row["window_start"]) == wanted.window_start]
    assert (float(row["vwap"]), int(row["trade_count"]), row["wholeness"]) == (wanted.vwap, 93, "partial")


async def test_old_windows_are_dimmed_and_called_stale_and_show_their_day() -> None:
    app, _, clock = application()
    async with app.run_test(size=(80, 24)) as pilot:
        await tell(app, pilot, *story(), WindowsRead((closed("BTCUSDT", 3_000),), NOON))
        await pilot.press("w", "n", "G")
        await tell(app, pilot)
        assert "06. 10:04" in text_of(app), "another day"
        clock.forward(60_000)
        await tell(app, pilot)
        assert "STALE 1m00s" in text_of(app)
        assert table(app).faded
        await tell(app, pilot, *figures(clock()))
        assert not table(app).faded


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_hostile_text_reaches_no_view(size: tuple[int, int]) -> None:
    app, _, _ = application()
    names = ("\x1b[31mRED\x1b]0;title\x07", "A\x00B\u202eC[/b]", "币安人生" * 5, "X" * 1_000_000)
    windows = tuple(
        msgspec.structs.replace(closed("BTCUSDT", ago, size_), symbol=name)
        for name in names
        for size_ in ("1m", "5m")
        for ago in (1, 2)
    )
    async with app.run_test(size=size) as pilot:
        await tell(app, pilot, *story())
        app.state.want(names)
        trades = tuple(msgspec.structs.replace(trade(1).trade, symbol=name, price=1e300) for name in names)
        read = [type(trade(1))(one, 0, 1, NOON) for one in trades]
        await tell(app, pilot, TradesRead(tuple(read), NOON), HistoryRead(windows, (), NOON))
        await pilot.press("w", "v", "v")
        for _ in range(6):
            await pilot.press("n")
            await tell(app, pilot)
            shown = text_of(app)
            assert not {"\x1b", "\x00", "\x07", "\u202e"} & set(shown)
            await pilot.press("v")
        await pilot.press("slash", *"[/b]", "enter")
        await tell(app, pilot)
        if in_sight(app)[-1].startswith("windows"):
            pane(app).stops[-1].focus()
        await pilot.press("down", "enter")
        await tell(app, pilot)
        assert "\x1b" not in text_of(app)


async def test_candles_are_drawn_again_only_when_something_changed() -> None:
    app, _, clock = application()
    async with app.run_test(size=(200, 60)) as pilot:
        await tell(app, pilot, *story())
        candles = app.screen.query_one("#candles-1m", Candles)
        drawn = []
        candles.redraw = lambda: drawn.append(clock())  # type: ignore[method-assign]
        for _ in range(5):
            clock.forward(100)
            await tell(app, pilot, TradesRead(tuple(running()), NOON))
        assert drawn == [], "trades alone draw no candle within a second"
        clock.forward(1_000)
        await tell(app, pilot)
        assert len(drawn) == 1
        await tell(app, pilot, WindowsRead((closed("BTCUSDT", 0),), NOON))
        assert len(drawn) == 2
