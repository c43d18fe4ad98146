"""What a request asks for."""

import base64

import pytest

from pipeline.store.server.ask import authenticate, read_ask, read_form
from pipeline.store.server.errors import ServerError


def test_url_fields_go_where_they_belong() -> None:
    url = [
        ("query", "SELECT 1"), ("database", "crypto"), ("default_format", "JSON"), ("param_x", "a\\tb"),
        ("max_threads", "1"), ("session_id", "s"), ("session_timeout", "5"), ("wait_end_of_query", "1"),
        ("enable_http_compression", "1"), ("client_protocol_version", "54405"), ("query_id", "q"),
    ]  # fmt: skip
    ask = read_ask(url, {})
    assert (ask.query, ask.database, ask.default_format, ask.query_id) == ("SELECT 1", "crypto", "JSON", "q")
    assert ask.parameters == {"x": "a\\tb"}
    assert ask.settings == {"max_threads": "1"}
    assert (ask.session_id, ask.session_timeout, ask.wait_end_of_query, ask.coded_answer) == ("s", 5.0, True, True)


def test_the_url_wins_over_headers() -> None:
    headers = {"x-clickhouse-database": "a", "x-clickhouse-format": "CSV", "x-clickhouse-user": "u"}
    assert read_ask([], headers).database == "a"
    ask = read_ask([("database", "b"), ("default_format", "TSV"), ("user", "v")], headers)
    assert (ask.database, ask.default_format, ask.user) == ("b", "TSV", "v")


def test_without_a_query_id_one_is_made() -> None:
    assert read_ask([], {}).query_id != read_ask([], {}).query_id
    assert "\n" not in read_ask([("query_id", "a\nb")], {}).query_id


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ([("compress", "1")], "NOT_IMPLEMENTED"),
        ([("decompress", "1")], "NOT_IMPLEMENTED"),
        ([("session_timeout", "-1")], "INVALID_SESSION_TIMEOUT"),
        ([("session_timeout", "99999999999")], "INVALID_SESSION_TIMEOUT"),
        ([("default_format", "a b")], "BAD_REQUEST_PARAMETER"),
    ],
)
def test_what_cannot_be_is_refused(url: list[tuple[str, str]], name: str) -> None:
    with pytest.raises(ServerError) as caught:
        read_ask(url, {})
    assert caught.value.name == name


def _basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_credentials_are_asked_only_where_a_password_is_set() -> None:
    authenticate(read_ask([], _basic("anyone", "x")), "default", "")
    authenticate(read_ask([], _basic("default", "sécret")), "default", "sécret")
    authenticate(read_ask([("user", "default"), ("password", "p")], {}), "default", "p")
    for headers in ({}, _basic("default", "wrong"), _basic("other", "p")):
        with pytest.raises(ServerError) as caught:
            authenticate(read_ask([], headers), "default", "p")
        assert caught.value.status == 403
        assert "wrong" not in str(caught.value)


def test_unreadable_credentials_are_refused() -> None:
    with pytest.raises(ServerError) as caught:
        read_ask([], {"authorization": "Basic ???"})
    assert caught.value.name == "AUTHENTICATION_FAILED"


def test_a_form_carries_query_and_parameters_as_they_are() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n\n--x\r\n'
        b'--B\r\nContent-Disposition: form-data; name="param_s"\r\n\r\n\xe5\xb8\x81\r\n--B--\r\n'
    )
    ask = read_ask([], {})
    read_form(ask, "multipart/form-data; boundary=B", body)
    assert ask.query == "SELECT 1\r\n\n--x"
    assert ask.parameters == {"s": "币"}


def test_external_data_are_refused() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--B--\r\n'
    with pytest.raises(ServerError) as caught:
        read_form(read_ask([], {}), "multipart/form-data; boundary=B", body)
    assert caught.value.status == 501
