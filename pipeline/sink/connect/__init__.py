"""Kafka Connect as what fills ClickHouse: its REST interface, the connector's configuration, and how its tasks do."""
