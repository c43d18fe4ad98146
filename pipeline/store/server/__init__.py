"""The ClickHouse engine in a process of its own, behind ClickHouse's HTTP interface on loopback."""
