from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from pipeline.store.client import told


def test_the_servers_words_without_the_clients_address() -> None:
    error = DatabaseError(
        "HTTPDriver for http://127.0.0.1:8123 returned response code 404\nCode: 60. DB::Exception: no"
    )
    assert told(error) == "Code: 60. DB::Exception: no"


def test_the_systems_words_where_there_was_no_answer() -> None:
    error = OperationalError("Error HTTPConnectionPool(host=...): Max retries exceeded")
    error.__cause__ = ValueError("the library's own")
    error.__cause__.__context__ = ConnectionRefusedError(111, "Connection refused")
    assert told(error) == "ClickHouse does not answer: Connection refused"


def test_hostile_words_and_none_at_all() -> None:
    assert told(DatabaseError("Code: 1. \x1b[2J")) == "Code: 1. \\x1b[2J"
    assert told(DatabaseError()) == "DatabaseError"
