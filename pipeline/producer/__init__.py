"""The producer process: feed → quality → Avro → Kafka, with statistics. ``python -m pipeline.producer``."""
