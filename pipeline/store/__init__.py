"""The store: ClickHouse over HTTP - its client, its DDL, the audits, and the local engine behind the same interface."""
