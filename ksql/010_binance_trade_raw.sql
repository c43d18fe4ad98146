-- The trade topic as a stream. The key is declared, so that grouping by it needs no repartition topic (through one, a
-- backlog replayed from another partitioner lost half its trades as late, without an error).
CREATE STREAM IF NOT EXISTS BINANCE_TRADE_RAW (
  `symbol_key` VARCHAR KEY,
  `event_type` VARCHAR,
  `event_time` BIGINT,
  `symbol` VARCHAR,
  `trade_id` BIGINT,
  `price` DOUBLE,
  `quantity` DOUBLE,
  `trade_time` BIGINT,
  `market_maker` BOOLEAN,
  `ignore` BOOLEAN,
  `received_time` BIGINT,
  `source` VARCHAR
) WITH (
  KAFKA_TOPIC = 'binance_trade',
  KEY_FORMAT = 'KAFKA',
  VALUE_FORMAT = 'AVRO',
  TIMESTAMP = '`event_time`'
);
