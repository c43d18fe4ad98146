"""The sink: Kafka → ClickHouse in batches; what ClickHouse cannot take goes to the dead letters, one by one."""
