"""Binance's streams: connecting, decoding and judging what arrives. Nothing in here knows Kafka or Avro."""
