"""The tables that the sink fills, their columns, and inserting into them through clickhouse-connect.

It tells apart what concerns a *row* (refused as data: trying again would not help) from everything else (ClickHouse is
away, full, read-only, its table is missing): that is waited for.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DataError, Error
from clickhouse_connect.driver.insert import InsertContext

from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS, Trade, Window
from pipeline.sink.batch import RefusedError, Row
from pipeline.store.client import told

DATABASE = "crypto"
COLUMNS: dict[str, tuple[str, ...]] = {
    TRADE_TOPIC: tuple(field.name for field in msgspec.structs.fields(Trade)),
    **dict.fromkeys(WINDOW_TOPICS.values(), tuple(field.name for field in msgspec.structs.fields(Window))),
}
"""Table (of its topic's name) → columns, in the order of the struct's fields."""

REFUSES_DATA = frozenset(
    {
        6, 26, 27, 38, 41, 72,  # CANNOT_PARSE_TEXT, _QUOTED_STRING, _INPUT_ASSERTION_FAILED, _DATE, _DATETIME, _NUMBER
        69,  # ARGUMENT_OUT_OF_BOUND
        117,  # INCORRECT_DATA
        131,  # TOO_LARGE_STRING_SIZE
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
        407,  # DECIMAL_OVERFLOW
        469,  # VIOLATED_CONSTRAINT
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)  # fmt: skip
"""ClickHouse's codes that concern the values of a row. A code that is not here is waited for: nothing is lost by it."""

_NOT_WRITABLE = (DataError, UnicodeError, OverflowError, TypeError, ValueError, struct.error)
"""What clickhouse-connect raises for a value that a column's type cannot hold."""

_SETTINGS = {
    "async_insert": 0,  # the answer must mean that the rows are written
    "max_partitions_per_insert_block": 0,  # a replayed batch may span many days
}


class UnavailableError(Exception):
    """ClickHouse did not take the rows now and may later; the message holds its own words."""


@dataclass(slots=True)
class Inserter:
    """Inserts rows, connecting when it has to; after any error it connects anew, for the tables may have changed."""

    connect: Callable[[], Client]
    _client: Client | None = None
    _contexts: dict[str, InsertContext] | None = None

    def __call__(self, table: str, rows: Sequence[Row]) -> None:
        """Insert the rows; when this returns, ClickHouse has acknowledged them.

        Raises:
            RefusedError: ClickHouse refuses them as data.
            UnavailableError: anything else.
        """
        columns = list(zip(*(row.values for row in rows), strict=True))
        try:
            client, context = self._open(table)
            context.data = columns
            client.insert(context=context)
        except Error as error:
            self.close()
            if isinstance(error, DataError) or error.code in REFUSES_DATA:
                raise RefusedError(f"{DATABASE}.{table} refuses {len(rows)} row(s)") from error
            raise UnavailableError(told(error)) from error
        except _NOT_WRITABLE as error:
            self.close()
            raise RefusedError(f"{len(rows)} row(s) do not fit the columns of {DATABASE}.{table}") from error

    def _open(self, table: str) -> tuple[Client, InsertContext]:
        if self._client is None or self._contexts is None:
            self._client, self._contexts = self.connect(), {}
        context = self._contexts.get(table)
        if context is None:
            context = self._client.create_insert_context(
                table, COLUMNS[table], DATABASE, column_oriented=True, settings=_SETTINGS
            )
            self._contexts[table] = context
        return self._client, context

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
        self._client = self._contexts = None
