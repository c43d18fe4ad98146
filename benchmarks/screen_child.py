"""What ``benchmarks.screen`` measures, each in a process and a terminal of its own: the application, or a DataTable.

    python -m benchmarks.screen_child ours|decoded|table|redrawn --rate 5000

``ours``: the real application; a thread hands it batches ten times a second, as the Kafka reader does. The trades were
made beforehand; their times and ids are set anew, so that they are as those of a feed. ``decoded``: the same, but the
thread encodes them, and takes the records through ``pipeline.broker.records.Batch``, so that all that the reader does
after librdkafka is paid for. What it costs to make trades (set times and ids, encode) the thread tells in a file.
``table``: Textual's DataTable, a row added for each trade, the oldest removed beyond 1,000. ``redrawn``: a DataTable
that holds only what is in sight, cleared and filled anew ten times a second.
"""

import argparse
import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Static

from benchmarks.decode import OneSchema
from cryptostreamx_tui.app import CryptoStreamX
from cryptostreamx_tui.format import clock
from pipeline.broker.records import Batch
from pipeline.child import now_ms
from pipeline.events import ReadTrade, StackEvent, TradesRead
from pipeline.model import TRADE_TOPIC
from pipeline.schemas.codec import TradeDecoder, TradeEncoder, WindowDecoder
from tests.tui import fakes

BATCHES_A_SECOND = 10
PREPARED = 20_000
"""Trades made before the measurement; they come again and again."""
ROWS_KEPT = 1_000


class Record:
    """A consumed record, with the methods of the client library's that are used."""

    __slots__ = ("_key", "_offset", "_time", "_value")

    def __init__(self, offset: int, key: bytes, value: bytes, time: int) -> None:
        self._offset, self._key, self._value, self._time = offset, key, value, time

    def topic(self) -> str:
        return TRADE_TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, self._time

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes:
        return self._value

    def headers(self) -> None:
        return None


class Feeder:
    """A thread that hands on ``rate`` trades a second in ten batches, and tells what making them cost."""

    def __init__(self, rate: int, making: Path | None, *, decoded: bool) -> None:
        """``making``: file for the processor seconds that went into making trades, which are not the application's."""
        self._each = max(1, rate // BATCHES_A_SECOND)
        count = max(self._each, PREPARED // self._each * self._each)
        self._trades = [fakes.trade(i, fakes.SYMBOLS[i % 4], now_ms()) for i in range(count)]
        self._next_id = dict.fromkeys(fakes.SYMBOLS, 3_735_683_259)
        self._decoded = decoded
        self._encode = TradeEncoder(1)
        self._batch = Batch(TradeDecoder(OneSchema()), WindowDecoder(OneSchema()))
        self._at = 0
        self._making = making
        self._made = 0.0
        gc.collect()
        gc.freeze()  # what was prepared is not the application's to look through
        self.hand_on: Callable[[TradesRead], object] = lambda _: None

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="kafka-reader", daemon=True).start()

    def _run(self) -> None:
        began = time.monotonic()
        for number in range(1, sys.maxsize):
            time.sleep(max(0.0, began + number / BATCHES_A_SECOND - time.monotonic()))
            for event in self._taken(now_ms()):
                self.hand_on(event)
            if self._making is not None:
                self._making.write_text(str(self._made))

    def _taken(self, now: int) -> list[Any]:
        begun = time.thread_time()
        trades = self._trades[self._at : self._at + self._each]
        self._at = (self._at + self._each) % len(self._trades)
        self._renew(trades, now)
        records = [self._record(read) for read in trades] if self._decoded else []
        self._made += time.thread_time() - begun
        if not self._decoded:
            return [TradesRead(tuple(trades), now)]
        add = self._batch.add
        for record in records:
            add(record)
        return list(self._batch.take(now))

    def _renew(self, trades: list[ReadTrade], now: int) -> None:
        """Make trades those that were received just now."""
        set_field, ids = msgspec.structs.force_setattr, self._next_id
        for read in trades:
            trade = read.trade
            set_field(trade, "received_time", now - 30)
            set_field(trade, "event_time", now - 32)
            set_field(trade, "trade_time", now - 33)
            ids[trade.symbol] += 1
            set_field(trade, "trade_id", ids[trade.symbol])

    def _record(self, read: ReadTrade) -> Record:
        trade = read.trade
        return Record(read.offset, trade.symbol.encode(), self._encode(trade), trade.event_time)


class Stack(fakes.FakeStack):
    """A stack that is up at once, reports as ten services do, and streams."""

    def __init__(self, feeder: Feeder) -> None:
        super().__init__("live", fakes.SYMBOLS)
        self._feeder = feeder
        self._reporting: asyncio.Task[None] | None = None

    async def start(self, emit: Callable[[StackEvent], None]) -> None:
        await super().start(emit)
        loop = asyncio.get_running_loop()
        for event in fakes.started(now_ms()):
            emit(event)
        for event in fakes.streaming(now_ms()):
            emit(event)
        self._feeder.hand_on = lambda event: loop.call_soon_threadsafe(emit, event)
        self._feeder.start()
        self._reporting = asyncio.create_task(self._report())

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1)
            now = now_ms()
            for event in fakes.figures(now):
                self.emit(event)
            for name in fakes.SERVICES:
                self.emit(fakes.service(name, now))


class Table(App[None]):
    """The tape as a DataTable, as one would write it first."""

    BINDINGS: ClassVar[list[BindingType]] = [("p", "freeze", "freeze"), ("q", "quit", "quit")]
    CSS = "DataTable { height: 1fr; }"

    def __init__(self, feeder: Feeder, *, redrawn: bool) -> None:
        super().__init__()
        self._feeder = feeder
        self._redrawn = redrawn
        self._frozen = False

    def compose(self) -> ComposeResult:
        """A line, the table, a line."""
        yield Static("LIVE", id="status")
        yield DataTable(cursor_type="row", zebra_stripes=False)
        yield Static("p freeze", id="foot")

    def on_mount(self) -> None:
        """Begin to stream."""
        self.query_one(DataTable).add_columns("time UTC", "symbol", "side", "price", "quantity", "value", "latency")
        loop = asyncio.get_running_loop()
        self._feeder.hand_on = lambda event: loop.call_soon_threadsafe(self._take, event)
        self._feeder.start()

    @staticmethod
    def _row(read: ReadTrade, now: int) -> tuple[str, ...]:
        trade = read.trade
        side = "▼ sell" if trade.market_maker else "▲ buy"
        price, quantity = f"{trade.price:,.2f}", f"{trade.quantity:.5f}"
        value, latency = f"{trade.price * trade.quantity:,.2f}", f"{now - trade.received_time} ms"
        return clock(trade.trade_time), trade.symbol, side, price, quantity, value, latency

    def _take(self, event: TradesRead) -> None:
        self.query_one("#status", Static).update(f"LIVE {len(event.trades) * BATCHES_A_SECOND}/s")
        if self._frozen:
            return
        table = self.query_one(DataTable)
        if self._redrawn:
            table.clear()
            table.add_rows(self._row(read, event.time) for read in event.trades[: -table.size.height - 1 : -1])
            return
        for read in event.trades[-ROWS_KEPT:]:
            table.add_row(*self._row(read, event.time))
        for key in list(table.rows)[:-ROWS_KEPT]:
            table.remove_row(key)
        table.move_cursor(row=table.row_count - 1, animate=False)

    def action_freeze(self) -> None:
        """Hold the table, or let it go on."""
        self._frozen = not self._frozen
        self.query_one("#foot", Static).update("frozen" if self._frozen else "following")


def main() -> int:
    """Run one of them until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("ours", "decoded", "table", "redrawn"))
    parser.add_argument("--rate", type=int, default=5_000, help="trades a second")
    parser.add_argument("--making", type=Path, help="file for the processor seconds that making the trades took")
    options = parser.parse_args()
    feeder = Feeder(options.rate, options.making, decoded=options.kind == "decoded")
    if options.kind in ("ours", "decoded"):
        return CryptoStreamX(Stack(feeder)).run() or 0
    Table(feeder, redrawn=options.kind == "redrawn").run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
