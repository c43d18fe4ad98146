"""Read-only questions to the store: are the trades there that were accepted, and do the windows agree with them?

All values go as query parameters; table names come from ``pipeline.model`` alone. Windows are worked out from raw
trades by event time, with FINAL, so that a trade delivered twice counts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.model import GRACE_MS, TRADE_TOPIC, WINDOW_MS, WINDOW_TOPICS

TOLERANCE = 1e-9
"""Relative: a sum of floats depends on its order."""

_FIELDS = ("total_quantity", "avg_price", "min_price", "max_price", "open_price", "close_price", "vwap")

_RECOMPUTED = f"""
    SELECT symbol, intDiv(event_time, {{size:Int64}}) * {{size:Int64}} AS window_start,
        toInt64(count()) AS trade_count, sum(quantity) AS total_quantity, avg(price) AS avg_price,
        min(price) AS min_price, max(price) AS max_price,
        argMin(price, (event_time, trade_id)) AS open_price, argMax(price, (event_time, trade_id)) AS close_price,
        sum(price * quantity) / sum(quantity) AS vwap
    FROM crypto.{TRADE_TOPIC} FINAL
    WHERE source = 'ws' AND event_time >= {{since:Int64}}
    GROUP BY symbol, window_start
    HAVING window_start + {{size:Int64}} + {{grace:Int64}} <= {{stream_time:Int64}}
"""  # noqa: S608 - fixed names

Ranges = Mapping[str, Sequence[tuple[int, int]]]
"""Symbol → inclusive ranges of trade ids."""


@dataclass(frozen=True, slots=True)
class WindowCheck:
    """What a comparison of one size's windows found."""

    due: int
    """Windows that must be closed, worked out from the stored trades."""
    closed: int
    """Those of them that are stored."""
    differences: tuple[str, ...]
    """What does not agree, in words: missing, not due, or another value."""


def stored_trades(client: Client, ids: Ranges) -> int:
    """Count the distinct (symbol, trade_id) that are stored within the given ranges.

    Raises:
        ClickHouseError: the server refuses or does not answer.
    """
    count = 0
    for symbol, ranges in ids.items():
        for start in range(0, len(ranges), 500):
            part = ranges[start : start + 500]
            rows = client.query(
                f"SELECT uniqExact(trade_id) FROM crypto.{TRADE_TOPIC} WHERE symbol = {{symbol:String}}"  # noqa: S608
                " AND arrayExists(r -> trade_id BETWEEN r.1 AND r.2, {ranges:Array(Tuple(Int64, Int64))})"
                " AND trade_id BETWEEN {low:Int64} AND {high:Int64}",
                parameters={
                    "symbol": symbol,
                    "ranges": [tuple(pair) for pair in part],
                    "low": min(low for low, _ in part),
                    "high": max(high for _, high in part),
                },
            ).result_rows
            count += int(rows[0][0])
    return count


def check_windows(client: Client, size: str, stream_time: int | None = None, since: int = 0) -> WindowCheck:
    """Compare every stored window with one worked out from the raw trades: counts equal, floats to 1e-9 relative.

    Raises:
        ClickHouseError: the server refuses or does not answer.
    """
    columns = ", ".join(("trade_count", *_FIELDS))
    bounds = _bounds(client, size, stream_time, since)
    # A window that came several times is there several times until parts merge: each of its rows must agree.
    stored = client.query(
        f"SELECT DISTINCT symbol, window_start, {columns} FROM crypto.{WINDOW_TOPICS[size]}"  # noqa: S608 - fixed names
        " WHERE window_start >= {since:Int64}",
        parameters={"since": since},
    ).result_rows
    rows = client.query(f"SELECT symbol, window_start, {columns} FROM ({_RECOMPUTED})", parameters=bounds).result_rows  # noqa: S608
    due = {(str(row[0]), int(row[1])): row[2:] for row in rows}
    differences: list[str] = []
    closed: set[tuple[str, int]] = set()
    for symbol, start, *values in stored:
        key = (str(symbol), int(start))
        closed.add(key)
        label = f"{size} window {start} of {symbol}"
        if key not in due:
            differences.append(f"{label} is stored, but the stored trades do not close it")
            continue
        differences.extend(
            f"{label}: {name} is {found}, the trades give {wanted}"
            for name, found, wanted in zip(("trade_count", *_FIELDS), values, due[key], strict=True)
            if not _agree(found, wanted)
        )
    differences.extend(
        f"{size} window {start} of {symbol} is due and not stored" for symbol, start in sorted(due.keys() - closed)
    )
    return WindowCheck(len(due), len(closed & due.keys()), tuple(differences))


def _bounds(client: Client, size: str, stream_time: int | None, since: int) -> dict[str, int]:
    if stream_time is None:
        stream_time = int(
            client.query(f"SELECT max(event_time) FROM crypto.{TRADE_TOPIC} WHERE source = 'ws'").result_rows[0][0]  # noqa: S608
        )
    return {"size": WINDOW_MS[size], "grace": GRACE_MS, "stream_time": stream_time, "since": since}


def _agree(found: float, wanted: float) -> bool:
    return bool(abs(found - wanted) <= TOLERANCE * max(abs(found), abs(wanted)))
