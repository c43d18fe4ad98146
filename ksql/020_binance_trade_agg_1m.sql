-- Closed windows of 1 minute: final results only, 10 s after the end by the partition's event time.
-- Partitions, replicas and retention are those of the source's topic, which was made from the settings beforehand.
CREATE TABLE IF NOT EXISTS BINANCE_TRADE_AGG_1M
WITH (
  KAFKA_TOPIC = 'binance_trade_agg_1m',
  KEY_FORMAT = 'KAFKA',
  VALUE_FORMAT = 'AVRO',
  VALUE_SCHEMA_FULL_NAME = 'cryptostreamx.BinanceTradeAgg'
) AS
SELECT
  `symbol_key`,
  AS_VALUE(`symbol_key`) AS `symbol`,
  WINDOWSTART AS `window_start`,
  WINDOWEND AS `window_end`,
  COUNT(*) AS `trade_count`,
  SUM(`quantity`) AS `total_quantity`,
  AVG(`price`) AS `avg_price`,
  MIN(`price`) AS `min_price`,
  MAX(`price`) AS `max_price`,
  EARLIEST_BY_OFFSET(`price`) AS `open_price`,
  LATEST_BY_OFFSET(`price`) AS `close_price`,
  SUM(`price` * `quantity`) / SUM(`quantity`) AS `vwap`
FROM BINANCE_TRADE_RAW
WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)
GROUP BY `symbol_key`
EMIT FINAL;
