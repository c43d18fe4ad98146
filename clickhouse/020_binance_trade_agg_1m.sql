-- One row a closed 1-minute window of a symbol, by event time; window_end is exclusive. Times are milliseconds, UTC.
-- A window may arrive more than once, always the same: ask with FINAL where a repeated row would matter.
CREATE TABLE IF NOT EXISTS crypto.binance_trade_agg_1m
(
    symbol LowCardinality(String),
    window_start Int64,
    window_end Int64,
    trade_count Int64,
    total_quantity Float64,
    avg_price Float64 COMMENT 'plain mean of the prices, not weighted',
    min_price Float64,
    max_price Float64,
    open_price Float64,
    close_price Float64,
    vwap Float64 COMMENT 'sum of price times quantity, over the sum of quantity',
    window_start_dt DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(window_start, 'UTC'),
    window_end_dt DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(window_end, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(fromUnixTimestamp64Milli(window_start, 'UTC'))
ORDER BY (symbol, window_start);
