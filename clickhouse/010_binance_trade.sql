-- One row a trade: the columns of the Avro record binance_trade, in its order and with its names, so that any sink that
-- matches names can fill it. Times are milliseconds since the epoch, UTC.
--
-- Trades arrive at least once. ReplacingMergeTree keeps one row of each (symbol, trade_id), but only when parts merge:
-- until then a repeated trade is there twice. Ask with FINAL where that matters:
--     SELECT count() FROM crypto.binance_trade FINAL WHERE symbol = 'BTCUSDT'
-- Rows are replaced within a partition only. The partition is the day of trade_time (T), not of event_time (E): a trade
-- fetched again over REST has the same T, and no E.
CREATE TABLE IF NOT EXISTS crypto.binance_trade
(
    event_type String,
    event_time Int64,
    symbol LowCardinality(String),
    trade_id Int64,
    price Float64,
    quantity Float64,
    trade_time Int64,
    market_maker Bool COMMENT 'true: the buyer was the maker, the trade was a sale',
    ignore Bool,
    received_time Int64 DEFAULT 0 COMMENT 'when the frame arrived; 0 in records written before this column',
    source LowCardinality(String) DEFAULT 'ws' COMMENT 'ws or rest',
    event_time_dt DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(event_time, 'UTC'),
    trade_time_dt DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(trade_time, 'UTC'),
    received_time_dt DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(received_time, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(fromUnixTimestamp64Milli(trade_time, 'UTC'))
ORDER BY (symbol, trade_id);
