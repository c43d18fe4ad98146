"""What ClickHouse holds: version, and the tables of the pipeline's database with rows, parts, size and newest row.

Asked slowly, of the system tables. The newest row of a table is looked for only in the partitions that were written
last: a column of a year's trades is not read for it. Calls block; each has a time-out.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.child import now_ms
from pipeline.inventory import StoreSeen, TableView
from pipeline.settings import Settings
from pipeline.store.client import connect, told

DATABASE = "crypto"
ANSWER_SECONDS = 10
NEWEST = ("received_time", "window_end")
"""Columns (ms since the epoch) that tell a table's newest row, the first one that it has."""
PARTS_LOOKED_AT = 8
"""The newest row is in one of the parts written last; merges of old parts may be among them."""

_TABLES = """
SELECT t.name, t.engine, p.rows, p.bytes, p.parts, p.modified
FROM system.tables AS t
LEFT JOIN
(
    SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts,
        toUnixTimestamp(max(modification_time)) AS modified
    FROM system.parts WHERE active AND database = {database:String} GROUP BY table
) AS p ON p.table = t.name
WHERE t.database = {database:String}
ORDER BY t.name
"""
_COLUMNS = """
SELECT table, name FROM system.columns
WHERE database = {database:String} AND name IN {names:Array(String)} AND type = 'Int64'
"""
_NEWEST = """
SELECT max({column:Identifier}), count() FROM {database:Identifier}.{table:Identifier}
WHERE _partition_id IN
(
    SELECT partition_id FROM system.parts WHERE active AND database = {database:String} AND table = {table:String}
    ORDER BY modification_time DESC LIMIT {parts:UInt8}
)
"""


class StoreInventory:
    """Asks one ClickHouse; connects when it has to. Not for two threads at once."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], int] = now_ms,
        connect: Callable[[Settings, int], Client] = connect,
    ) -> None:
        """``clock`` gives milliseconds since the epoch."""
        self._settings = settings
        self._now = clock
        self._connect = connect
        self._client: Client | None = None

    def look(self) -> StoreSeen:
        """Look at all tables."""
        try:
            if self._client is None:
                self._client = self._connect(self._settings, ANSWER_SECONDS)
            return self._look(self._client)
        except ClickHouseError as error:
            self.close()
            return StoreSeen(self._now(), error=told(error))

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _look(self, client: Client) -> StoreSeen:
        rows = client.query(_TABLES, parameters={"database": DATABASE}).result_rows
        found = client.query(_COLUMNS, parameters={"database": DATABASE, "names": list(NEWEST)}).result_rows
        columns: dict[str, set[str]] = {}
        for table, column in found:
            columns.setdefault(table, set()).add(column)
        tables = tuple(self._table(client, row, columns.get(row[0], set())) for row in rows)
        return StoreSeen(self._now(), str(client.server_version), tables)

    @staticmethod
    def _table(client: Client, row: Any, columns: set[str]) -> TableView:
        name, engine, count, size, parts, modified = row
        if not engine.endswith("MergeTree"):
            return TableView(name, engine)  # a view has no rows of its own, other engines no parts
        column = next((column for column in NEWEST if column in columns), None)
        newest = None
        if column is not None and count:
            values = {"database": DATABASE, "table": name, "column": column, "parts": PARTS_LOOKED_AT}
            largest, number = client.query(_NEWEST, parameters=values).result_rows[0]
            # 0 stands in records that were written before the column was there.
            newest = int(largest) if number and largest else None
        return TableView(
            name,
            engine,
            rows=int(count),
            bytes=int(size),
            parts=int(parts),
            modified=_ms(modified),
            newest=newest,
            received=column == NEWEST[0],
        )


def _ms(seconds: int | datetime | None) -> int | None:
    """Return a system table's time; an outer join gives 0 where there is no part."""
    return int(seconds) * 1000 if isinstance(seconds, int) and seconds else None
