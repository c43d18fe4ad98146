"""The list of symbols: one line each where there is breadth, two where there is not."""

from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from textual.events import Click, Resize
from textual.strip import Strip

from cryptostreamx_tui.format import UNKNOWN, Line, Span, change, duration, fit, per_second, plain, sparkline
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.bars import short, tone_of
from cryptostreamx_tui.widgets.columns import Column, NameColumn
from cryptostreamx_tui.widgets.rows import Rows

SPARK_WIDTH = 15
"""Four seconds a block."""
SPARK_SHORTEST, SPARK_LONGEST = 3, 30
"""In a symbol's second line."""
NARROW_NAME = 8
ONE_LINE = 80
"""Cells from which on everything that matters fits one line."""


class SymbolRows(Rows[str]):
    """Symbols in the order of the digits."""

    topics: ClassVar[tuple[str, ...]] = ("symbols", "stats")
    ages: ClassVar[bool] = True

    def __init__(self) -> None:
        def moved(title: str, value: Callable[[str], float | None]) -> Column[str]:
            def cell(symbol: str) -> Span:
                found = value(symbol)
                return Span(change(found), tone_of(found))

            return Column(title, 7, cell, right=True)

        self._names = NameColumn("symbol", NARROW_NAME, self._symbol, fixed=True)
        super().__init__(
            (
                Column("on", 2, self._mark, fixed=True),
                self._names,
                Column("price ", 12, self._price, right=True),
                moved("24h", self._day),
                Column("rate", 7, self._rate, right=True),
                moved("5m", lambda s: self._change(s, 300)),
                moved("1m", lambda s: self._change(s, 60)),
                Column("last minute", SPARK_WIDTH, self._spark),
                Column("age", 6, self._age, right=True),
                Column("state", 12, lambda s: Span(self.state.subscription(s), "dim")),
            ),
            empty="no symbols",
            id="symbol-rows",
        )

    def total(self) -> int:
        """Return the number of symbols."""
        return len(self.state.known)

    def item(self, index: int) -> str:
        """Return a symbol."""
        return list(self.state.known)[index]

    def on_resize(self, event: Resize) -> None:
        """A long name must not push the price out of sight where there is little room."""
        narrow = self.size.width < ONE_LINE // 2
        self._names.LONGEST = NARROW_NAME if narrow else NameColumn.LONGEST
        self._names.width = NARROW_NAME
        super().on_resize(event)

    # ------------------------------------------------------------ cells

    def _symbol(self, symbol: str) -> Span:
        fits = len(symbol) <= self._names.LONGEST
        return Span(symbol if fits else short(symbol), "" if symbol in self.state.wanted else "dim")

    def _mark(self, symbol: str) -> Span:
        index = list(self.state.known).index(symbol)
        on = symbol in self.state.wanted
        digit = str(index + 1) if index < 9 else " "
        return Span(f"{digit}{'●' if on else '○'}", "good" if self.state.subscription(symbol) == "on" else "dim")

    def _price(self, symbol: str) -> Span:
        state = self.state
        summary = state.symbols.get(symbol)
        stale = state.stale(symbol, self.host.now())
        word = state.subscription(symbol)
        if word != "on":  # what it waits for comes before a price of earlier
            return Span(word, "bad" if word == "not listed" else "dim")
        if stale is not None:
            return Span(f"STALE {duration(stale)}", "warn")
        if summary is None or summary.price is None:
            return Span(UNKNOWN, "dim")
        arrow = " " if summary.rising is None else "▲" if summary.rising else "▼"
        tone = {"▲": "good", "▼": "bad"}.get(arrow, "")
        return Span(f"{summary.price:,.{summary.price_places}f}{arrow}", tone)

    def _day(self, symbol: str) -> float | None:
        return self.state.day_change(symbol, self.host.now())

    def _change(self, symbol: str, seconds: int) -> float | None:
        summary = self.state.symbols.get(symbol)
        live = summary is not None and self.state.stale(symbol, self.host.now()) is None
        return summary.change(self.host.now(), seconds) if live and summary is not None else None

    def _rate(self, symbol: str) -> Span:
        summary = self.state.symbols.get(symbol)
        return Span(per_second(summary.rate.value(self.host.now()) if summary else None))

    def _age(self, symbol: str) -> Span:
        summary = self.state.symbols.get(symbol)
        return Span(duration(summary.age(self.host.now()) if summary else None), "dim")

    def _spark(self, symbol: str, width: int = SPARK_WIDTH) -> Span:
        return Span(spark(self.state, symbol, self.host.now(), width), "accent")

    # ------------------------------------------------------------ two lines a symbol

    @property
    def lines_each(self) -> int:
        """Lines a symbol takes: two where one cannot hold it, unless not all symbols would be in sight then."""
        room = self.size.height - 1
        return 2 if self.size.width < ONE_LINE and 2 * self.total() <= room else 1

    @property
    def body_height(self) -> int:
        """Symbols in sight."""
        return max(1, (self.size.height - 1) // self.lines_each)

    def render_line(self, y: int) -> Strip:
        """Draw the header, a symbol, or its second line."""
        each = self.lines_each
        if y == 0 or each == 1 or not self.total():
            return super().render_line(y)
        index, part = self.top + (y - 1) // each, (y - 1) % each
        if index >= self.total():
            return self.strip([], self.size.width)
        selected = index == self.cursor
        if part == 0:
            return self.row_strip(index, selected, self.size.width)
        over = None
        if selected:
            name = "rows--cursor" if self.has_focus else "rows--cursor-blurred"
            over = Style(bgcolor=self.get_component_rich_style(name).bgcolor)
        return self.strip(self._second(self.item(index), self.size.width), self.size.width, over)

    def _second(self, symbol: str, width: int) -> Line:
        """Return what the first line of a symbol has no room for: the longest change that is known, rate, sparkline."""
        shown = {column.title for column in self.table().columns}
        line: Line = [Span("  ")]
        for titles in (("24h", "5m", "1m"), ("rate",)):
            for column in self.columns:
                if column.title not in titles or column.title in shown:
                    continue
                cell = column.span(symbol, column.width)
                text = cell.text.strip()
                if text != UNKNOWN:
                    line += [Span("" if column.title == "rate" else column.title, "dim"), Span(text + " ", cell.tone)]
                    break
        room = min(width - len(plain(line)) - 1, SPARK_LONGEST)
        if room >= SPARK_SHORTEST:
            line.append(self._spark(symbol, room))
        return line

    def on_click(self, event: Click) -> None:
        """Select the clicked symbol; a second click on it turns it on or off."""
        index = self.top + (event.y - 1) // self.lines_each
        if event.y < 1 or index >= self.total():
            return
        if index == self.cursor and event.chain > 1:
            self.action_open()
        else:
            self.select(index)

    def action_open(self) -> None:
        """Turn the selected symbol on or off: there is nothing more to open."""
        if self.selected is not None:
            self.host.commands.toggle(self.selected)


def spark(state: State, symbol: str, now: int, width: int) -> str:
    """Return the last minute of a symbol's price, the newest at the right; what was not seen is left blank."""
    summary = state.symbols.get(symbol)
    if summary is None or symbol not in state.wanted or state.stale(symbol, now) is not None:
        return ""
    return fit(sparkline(summary.prices.recent(now, width), width), width, right=True)
