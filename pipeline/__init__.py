"""The streaming pipeline: feed → quality → Avro → Kafka → windows → ClickHouse.

Trades flow one way; each step is a process of its own that can die and come back. Nothing in this package knows
that a terminal application exists: it never imports textual (``tests/unit/test_rooms.py`` proves it).
"""

__version__ = "0.1.0"
