"""The registry's client against a small HTTP server that answers as Confluent's does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipeline.schemas.registry import UNREACHABLE, Registry, RegistryError, registry_of
from pipeline.schemas.subjects import load_schema
from pipeline.settings import Settings

Answers = dict[tuple[str, str], tuple[int, Any]]


class Served:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[tuple[str, str, Any, str | None]] = []
        self.url = ""


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            state.asked.append((self.command, self.path, body, self.headers.get("Authorization")))
            status, answer = state.answers[self.command, self.path]
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def test_registering_sends_the_schema_and_returns_its_id(served: Served) -> None:
    served.answers["POST", "/subjects/a%2Fb-value/versions"] = (200, {"id": 12})
    schema = load_schema("binance_trade")
    assert Registry(served.url + "/").register("a/b-value", schema) == 12
    assert json.loads(served.asked[0][2]["schema"]) == schema


def test_an_incompatible_schema_keeps_the_servers_code_and_words(served: Served) -> None:
    served.answers["POST", "/subjects/s/versions"] = (409, {"error_code": 409, "message": "NAME_MISMATCH \x1b[31m"})
    with pytest.raises(RegistryError) as caught:
        Registry(served.url).register("s", {})
    assert (caught.value.code, caught.value.subject) == (409, "s")
    assert caught.value.message == "NAME_MISMATCH \\x1b[31m"
    assert "register the schema of s" in str(caught.value)
    assert served.url in str(caught.value)


@pytest.mark.parametrize("code", [40401, 40403])
def test_looking_up_what_is_not_there_gives_none(served: Served, code: int) -> None:
    served.answers["POST", "/subjects/s"] = (404, {"error_code": code, "message": "not found"})
    assert Registry(served.url).schema_id("s", {}) is None


def test_looking_up_what_is_there_gives_its_id(served: Served) -> None:
    served.answers["POST", "/subjects/s"] = (200, {"subject": "s", "version": 1, "id": 3, "schema": "{}"})
    assert Registry(served.url).schema_id("s", {}) == 3


def test_another_refusal_of_a_look_up_is_an_error(served: Served) -> None:
    served.answers["POST", "/subjects/s"] = (500, {"error_code": 50001, "message": "store away"})
    with pytest.raises(RegistryError, match="store away"):
        Registry(served.url).schema_id("s", {})


def test_a_schema_is_fetched_once(served: Served) -> None:
    schema = load_schema("binance_trade_agg")
    served.answers["GET", "/schemas/ids/5"] = (200, {"schema": json.dumps(schema)})
    registry = Registry(served.url)
    assert registry.schema(5) == registry.schema(5) == schema
    assert len(served.asked) == 1


@pytest.mark.parametrize("text", ['"string"', "syntax = proto3", "[]", '{"type":"enum"}'])
def test_a_schema_that_is_no_avro_record(served: Served, text: str) -> None:
    served.answers["GET", "/schemas/ids/5"] = (200, {"schema": text})
    with pytest.raises(RegistryError, match="not an Avro") as caught:
        Registry(served.url).schema(5)
    assert caught.value.no_such_schema


def test_compatibility_is_read(served: Served) -> None:
    served.answers["GET", "/config"] = (200, {"compatibilityLevel": "NONE"})
    assert Registry(served.url).compatibility() == "NONE"


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [(200, b"<html>", 200), (502, b"<html>Bad gateway", 502), (200, {}, 200), (200, b"[]", 200), (503, b"", 503)],
)
def test_an_answer_that_is_no_registrys(served: Served, status: int, answer: Any, code: int) -> None:
    served.answers["GET", "/config"] = (status, answer)
    with pytest.raises(RegistryError) as caught:
        Registry(served.url).compatibility()
    assert caught.value.code == code
    assert caught.value.message


def test_a_registry_that_is_down() -> None:
    with pytest.raises(RegistryError, match="refused") as caught:
        Registry("http://127.0.0.1:1", timeout=2).compatibility()
    assert caught.value.unreachable
    assert caught.value.code == UNREACHABLE


def test_the_settings_name_and_password_are_used_and_not_shown(served: Served) -> None:
    served.answers["GET", "/config"] = (401, {"error_code": 401, "message": "Unauthorized"})
    settings = Settings.load(
        {
            "schema_registry_url": served.url,
            "schema_registry_username": "user",
            "schema_registry_password": "canary-7f3a",
        },
        env_file=None,
    )
    with pytest.raises(RegistryError) as caught:
        registry_of(settings).compatibility()
    assert served.asked[0][3] is not None
    assert served.asked[0][3].startswith("Basic ")
    assert "canary-7f3a" not in str(caught.value)


def test_a_schema_of_any_type_is_told_with_its_type(served: Served) -> None:
    served.answers["GET", "/schemas/ids/3"] = (200, {"schema": '"string"'})
    served.answers["GET", "/schemas/ids/4"] = (200, {"schema": "syntax", "schemaType": "PROTOBUF"})
    served.answers["GET", "/schemas/ids/5"] = (200, {"schema": None})
    registry = Registry(served.url)
    assert registry.schema_text(3) == ("AVRO", '"string"')
    assert registry.schema_text(4) == ("PROTOBUF", "syntax")
    with pytest.raises(RegistryError, match="not understood"):
        registry.schema_text(5)
    registry.close()
