"""Queries that are ready to be run: what people ask most often. Each is one statement that only reads.

FINAL where a repeated row would make a figure wrong: trades and windows arrive at least once. Times are event times.
"""

from typing import NamedTuple


class Ready(NamedTuple):
    """One query."""

    name: str
    about: str
    sql: str


READY = (
    Ready(
        "last windows",
        "the newest closed 1m windows",
        """\
SELECT window_start_dt, symbol, trade_count, open_price, max_price, min_price, close_price, vwap, total_quantity
FROM crypto.binance_trade_agg_1m FINAL
ORDER BY window_start DESC, symbol
LIMIT 100""",
    ),
    Ready(
        "busiest minutes",
        "minutes with the most trades",
        """\
SELECT toStartOfMinute(event_time_dt) AS minute, symbol, count() AS trades, round(sum(price * quantity), 2) AS value,
    min(price) AS low, max(price) AS high
FROM crypto.binance_trade FINAL
WHERE source = 'ws'
GROUP BY minute, symbol
ORDER BY trades DESC, minute DESC
LIMIT 50""",
    ),
    Ready(
        "largest trades",
        "the largest by value",
        """\
SELECT trade_time_dt, symbol, if(market_maker, 'sell', 'buy') AS side, price, quantity,
    round(price * quantity, 2) AS value, trade_id
FROM crypto.binance_trade FINAL
ORDER BY value DESC, trade_time DESC
LIMIT 100""",
    ),
    Ready(
        "lag by minute",
        "exchange's event → received",
        """\
SELECT toStartOfMinute(event_time_dt) AS minute, symbol, count() AS trades,
    quantile(0.5)(received_time - event_time) AS p50_ms, quantile(0.99)(received_time - event_time) AS p99_ms,
    max(received_time - event_time) AS max_ms
FROM crypto.binance_trade FINAL
WHERE source = 'ws' AND received_time > 0
GROUP BY minute, symbol
ORDER BY minute DESC, symbol
LIMIT 200""",
    ),
    Ready(
        "late trades by minute",
        "behind end of window + 10 s",
        """\
WITH ordered AS
(
    SELECT symbol, event_time, event_time_dt,
        max(event_time) OVER
            (ORDER BY received_time, event_time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS newest
    FROM crypto.binance_trade FINAL
    WHERE source = 'ws' AND received_time > 0
)
SELECT toStartOfMinute(event_time_dt) AS minute, symbol, count() AS trades,
    countIf(newest >= (intDiv(event_time, 60000) + 1) * 60000 + 10000) AS late,
    max(newest - event_time) AS most_behind_ms
FROM ordered
GROUP BY minute, symbol
HAVING late > 0
ORDER BY minute DESC, symbol
LIMIT 200""",
    ),
    Ready(
        "trades per symbol",
        "count, value, first, last",
        """\
SELECT symbol, count() AS trades, round(sum(price * quantity), 2) AS value, min(price) AS low, max(price) AS high,
    argMax(price, (event_time, trade_id)) AS last_price, min(event_time_dt) AS first, max(event_time_dt) AS last
FROM crypto.binance_trade FINAL
GROUP BY symbol
ORDER BY trades DESC""",
    ),
    Ready(
        "buy/sell imbalance",
        "(bought − sold) / both",
        """\
SELECT toStartOfMinute(event_time_dt) AS minute, symbol,
    round(sumIf(price * quantity, NOT market_maker), 2) AS bought,
    round(sumIf(price * quantity, market_maker), 2) AS sold,
    round((bought - sold) / (bought + sold), 4) AS imbalance
FROM crypto.binance_trade FINAL
GROUP BY minute, symbol
ORDER BY minute DESC, symbol
LIMIT 200""",
    ),
    Ready(
        "holes in trade ids",
        "suspects, not proofs",
        """\
SELECT symbol, previous + 1 AS first_missing, trade_id - 1 AS last_missing, trade_id - previous - 1 AS missing,
    trade_time_dt
FROM
(
    SELECT symbol, trade_id, trade_time_dt,
        lagInFrame(trade_id, 1, trade_id - 1) OVER (PARTITION BY symbol ORDER BY trade_id) AS previous
    FROM crypto.binance_trade FINAL
)
WHERE trade_id > previous + 1
ORDER BY symbol, first_missing
LIMIT 200""",
    ),
    Ready(
        "table sizes",
        "rows, parts, bytes on disk",
        """\
SELECT table, sum(rows) AS rows, count() AS parts, sum(bytes_on_disk) AS bytes, formatReadableSize(bytes) AS size,
    max(modification_time) AS newest_part
FROM system.parts
WHERE active AND database = 'crypto'
GROUP BY table
ORDER BY bytes DESC""",
    ),
)
"""In the order in which they are offered."""
