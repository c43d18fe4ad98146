"""The windows that were closed before the screen began, and the trade ids that were stored for each of their minutes.

Read once at the start. ClickHouse may be down: then it is asked again, and nothing waits for it. Whether a window is
whole is judged from the ids elsewhere (``pipeline.windows.coverage``); here they are only looked up.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.child import now_ms
from pipeline.events import HistoryRead, MinuteIds
from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS, Window
from pipeline.settings import Settings
from pipeline.sink.tables import COLUMNS
from pipeline.store.client import connect
from pipeline.text import clean

NEWEST = 300
"""Windows of each size and symbol."""
SYMBOLS = 40
"""Symbols whose windows are read: those whose windows are the newest."""
TRADES_LOOKED_UP = 1_000_000
"""Newest trades of each symbol whose ids are looked up; of windows before them nothing is known."""
ANSWER_S = 20
RETRY_S = 5.0
"""Between two tries while ClickHouse does not answer."""

_MINUTE_MS = 60_000
_log = logging.getLogger(__name__)


async def read_history(settings: Settings, emit: Callable[[HistoryRead], None]) -> None:
    """Read once, however often ClickHouse has to be asked, and emit it in this event loop."""
    told = ""
    while True:
        try:
            event = await asyncio.to_thread(_read, settings)
        except (ClickHouseError, OSError) as error:
            words = clean(f"{type(error).__name__}: {error}", 300)
            if words != told:
                _log.warning("the windows closed before are not read yet: %s", words)
                told = words
            await asyncio.sleep(RETRY_S)
        else:
            emit(event)
            return


def _read(settings: Settings) -> HistoryRead:
    with closing(connect(settings, ANSWER_S)) as client:
        return history(client, now_ms())


def history(client: Client, now: int) -> HistoryRead:
    """Return the newest closed windows of both sizes, oldest first, and the ids of their minutes' trades. Blocking.

    Raises:
        ClickHouseError: the server refuses or does not answer.
    """
    windows: list[Window] = []
    for size in WINDOW_TOPICS:
        windows += closed_windows(client, size)
    windows.sort(key=lambda window: (window.window_end, window.window_start, window.symbol))
    ids = [ids for symbol in dict.fromkeys(w.symbol for w in windows) for ids in minute_ids(client, symbol)]
    return HistoryRead(tuple(windows), tuple(ids), now)


def closed_windows(client: Client, size: str, newest: int = NEWEST) -> list[Window]:
    """Return the newest windows of a size of each symbol; a window that was stored several times is there once.

    Raises:
        ClickHouseError: the server refuses or does not answer.
    """
    table = WINDOW_TOPICS[size]
    rows = client.query(
        f"SELECT {', '.join(COLUMNS[table])} FROM crypto.{table} FINAL"  # noqa: S608 - fixed names
        f" WHERE symbol IN (SELECT symbol FROM crypto.{table} GROUP BY symbol"
        " ORDER BY max(window_start) DESC, symbol LIMIT {symbols:UInt32})"
        " ORDER BY window_start DESC, symbol LIMIT {newest:UInt32} BY symbol",
        parameters={"newest": newest, "symbols": SYMBOLS},
    ).result_rows
    return [Window(*row) for row in rows]


def minute_ids(client: Client, symbol: str, newest: int = TRADES_LOOKED_UP) -> list[MinuteIds]:
    """Return the lowest and the highest trade id of each minute (by event time) of a symbol's newest trades.

    Only trades from the stream: one that was filled in over REST entered no window. Repeated rows change nothing here.

    Raises:
        ClickHouseError: the server refuses or does not answer.
    """
    rows = client.query(
        f"SELECT intDiv(event_time, {_MINUTE_MS}) * {_MINUTE_MS} AS minute, min(trade_id), max(trade_id)"  # noqa: S608
        f" FROM crypto.{TRADE_TOPIC} WHERE symbol = {{symbol:String}} AND source = 'ws' AND trade_id >"
        # In the order of the table's key: neither this nor what it bounds reads more than it has to.
        f" (SELECT trade_id FROM crypto.{TRADE_TOPIC} WHERE symbol = {{symbol:String}} ORDER BY trade_id DESC LIMIT 1)"
        " - {newest:Int64} GROUP BY minute ORDER BY minute",
        parameters={"symbol": symbol, "newest": newest},
    ).result_rows
    return [MinuteIds(symbol, minute, first, last) for minute, first, last in rows]
