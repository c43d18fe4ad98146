"""A small ksqlDB: it keeps sources and queries, and answers as a real one was seen to (``ksqldb_exchanges.json``)."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXCHANGES: dict[str, Any] = json.loads((Path(__file__).parent / "ksqldb_exchanges.json").read_text(encoding="utf-8"))
SOURCE = "BINANCE_TRADE_RAW"


def filled(body: Any, values: dict[str, Any]) -> Any:
    """Return a recorded body with its places filled in."""
    if isinstance(body, dict):
        return {key: filled(value, values) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value, values) for value in body]
    if isinstance(body, str):
        if body == "{sequence}":
            return values["sequence"]
        for key, value in values.items():
            body = body.replace(f"{{{key}}}", str(value))
    return body


def formatted(sql: str) -> str:
    """Return a statement as the server keeps it: its own layout, aliases and properties."""
    text = " ".join(sql.split())
    if " AS SELECT " not in text:
        return text
    head, _, query = text.partition(" AS SELECT ")
    head = re.sub(r"WITH \( ?(.*?) ?\)$", r"WITH (CLEANUP_POLICY='compact,delete', \1, PARTITIONS=1, REPLICAS=3)", head)
    head = head.replace(" = ", "=")
    columns, _, rest = query.partition(f" FROM {SOURCE} ")
    columns = re.sub(r"(?<!AS )`(price|quantity|symbol_key)`", rf"{SOURCE}.`\1`", columns).replace(" AS ", " ")
    columns = re.sub(rf"^{SOURCE}\.`symbol_key`,", f"{SOURCE}.`symbol_key` `symbol_key`,", columns)
    columns = re.sub(r"(SUM\([^)]* \* [^)]*\) / SUM\([^)]*\))", r"(\1)", columns)
    rest = rest.replace("1 MINUTE,", "1 MINUTES ,").replace("GROUP BY `", f"GROUP BY {SOURCE}.`")
    return f"{head} AS SELECT\n  {columns}\nFROM {SOURCE} {SOURCE}\n{rest}"


class KsqlDb:
    """The server's state. ``topics`` are those that Kafka has; the first ``starting`` answers are refusals."""

    def __init__(self) -> None:
        self.topics = {"binance_trade"}
        self.sources: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.starting = 0
        self.query_errors: list[dict[str, Any]] = []
        self.sequence = 0

    def answer(self, exchange: str, /, **values: Any) -> tuple[int, Any]:
        """Return a recorded answer."""
        found = EXCHANGES[exchange]
        return found["status"], filled(found["body"], {"sequence": self.sequence, **values})

    def get(self, path: str) -> tuple[int, Any]:
        """Answer a GET."""
        if self.starting > 0:
            self.starting -= 1
            return self.answer("starting")
        return self.answer({"/info": "info", "/healthcheck": "healthy"}.get(path, "no cluster status"))

    def post(self, request: dict[str, Any]) -> tuple[int, Any]:
        """Answer a statement."""
        if self.starting > 0:
            self.starting -= 1
            return self.answer("starting")
        self.requests.append(request)
        sql = request["ksql"]
        words = sql.split()
        values = {"statement": sql, "name": words[1].rstrip(";") if len(words) > 1 else "", "kind": "", "topic": ""}
        match words[0].upper():
            case "CREATE":
                return self._create(sql, values)
            case "DESCRIBE":
                return self._describe(values)
            case "TERMINATE":
                self.sequence += 1
                for source in self.sources.values():
                    source["writeQueries"] = [q for q in source["writeQueries"] if q["id"] != values["name"]]
                return self.answer("terminated", **values, query=values["name"])
            case "DROP":
                return self._drop(words, values)
            case "SHOW":
                return self._queries()
            case "EXPLAIN":
                return self._explain(values)
        raise AssertionError(f"not recorded: {sql}")

    def _create(self, sql: str, values: dict[str, Any]) -> tuple[int, Any]:
        found = re.match(r"CREATE (OR REPLACE )?(STREAM|TABLE) (IF NOT EXISTS )?(\w+)", sql)
        assert found, sql
        kind, name = found.group(2), found.group(4)
        topic = re.search(r"KAFKA_TOPIC\s*=\s*'([^']*)'", sql)
        values |= {"name": name, "kind": kind.lower(), "topic": topic.group(1) if topic else name}
        if name in self.sources:
            return self.answer("window upgrade" if found.group(1) else "there already", **values)
        if "TIMESTAMP = 'event_time'" in sql:
            return self.answer("timestamp column", **values)
        if re.search(r"REPLICAS\s*=\s*5", sql):
            return self.answer("replicas", **values)
        query = None
        if " AS\nSELECT" in sql or " AS SELECT" in sql:
            query = f"CTAS_{name}_{self.sequence}"
        elif values["topic"] not in self.topics:
            return self.answer("no topic", **values)
        self.sequence += 1
        self.sources[name] = {
            "name": name,
            "type": kind,
            "topic": values["topic"],
            "keyFormat": "KAFKA",
            "valueFormat": "AVRO",
            "extended": True,
            "statement": formatted(sql),
            "writeQueries": [{"id": query, "sinks": [name], "state": "RUNNING"}] if query else [],
        }
        return self.answer(f"created {kind.lower()}", **values, query=query)

    def _describe(self, values: dict[str, Any]) -> tuple[int, Any]:
        source = self.sources.get(values["name"])
        if source is None:
            return self.answer("no such source", **values)
        return 200, [{"@type": "sourceDescription", "statementText": values["statement"], "sourceDescription": source}]

    def _drop(self, words: list[str], values: dict[str, Any]) -> tuple[int, Any]:
        name = words[-1].rstrip(";")
        values |= {"name": name, "kind": words[1].lower()}
        reading = [
            query["id"] for source in self.sources.values() if name == SOURCE for query in source["writeQueries"]
        ] + [query["id"] for query in self.sources.get(name, {"writeQueries": []})["writeQueries"]]
        if reading:
            return self.answer("drop while read", **values, query=", ".join(reading))
        values["topic"] = self.sources.pop(name)["topic"]
        self.sequence += 1
        return self.answer("dropped", **values)

    def _queries(self) -> tuple[int, Any]:
        status, body = self.answer("queries")
        body[0]["queries"] = [
            {
                "id": query["id"],
                "state": "RUNNING",
                "statusCount": {"RUNNING": 1},
                "queryType": "PERSISTENT",
                "sinks": query["sinks"],
                "sinkKafkaTopics": [source["topic"]],
                "queryString": source["statement"],
            }
            for source in self.sources.values()
            for query in source["writeQueries"]
        ]
        return status, body

    def _explain(self, values: dict[str, Any]) -> tuple[int, Any]:
        status, body = self.answer("explained", **values, query=values["name"], sql="")
        body[0]["queryDescription"]["queryErrors"] = self.query_errors
        return status, body


@contextmanager
def served() -> Iterator[tuple[str, KsqlDb]]:
    """Serve a ksqlDB on loopback; yield its URL and its state."""
    ksqldb = KsqlDb()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(*ksqldb.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._reply(*ksqldb.post(json.loads(body)))

        def _reply(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.ksql.v1+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", ksqldb
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
