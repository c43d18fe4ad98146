import json
import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.exchange.protocol import RefusedError, Session, open_session, server_shutdown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
METHODS = ["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"]


def ask(session: Session, **command: Any) -> Any:
    return json.loads(session.answer(json.dumps(command)))


def test_subscribing_listing_and_unsubscribing() -> None:
    session = Session()
    assert ask(session, method="SUBSCRIBE", params=["btcusdt@trade", "nosuch@trade"], id=1) == {"result": None, "id": 1}
    assert ask(session, method="LIST_SUBSCRIPTIONS", id="a1") == {
        "result": ["btcusdt@trade", "nosuch@trade"],
        "id": "a1",
    }
    assert ask(session, method="UNSUBSCRIBE", params=["nosuch@trade", "x"], id=None) == {"result": None, "id": None}
    assert list(session.streams) == ["btcusdt@trade"]


def test_the_answer_is_written_as_binance_writes_it() -> None:
    assert Session().answer('{"method":"SUBSCRIBE","params":["a@trade"],"id":1}') == b'{"result":null,"id":1}'


def test_the_combined_property() -> None:
    session = Session()
    assert ask(session, method="GET_PROPERTY", params=["combined"], id=2)["result"] is False
    assert ask(session, method="SET_PROPERTY", params=["combined", True], id=5) == {"result": None, "id": 5}
    assert session.combined


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ({"method": "SET_PROPERTY", "params": ["x", True], "id": 1}, 0, "Unknown property"),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}, 1, "Invalid value type: expected Boolean"),
        ({"method": "GET_PROPERTY", "params": [1], "id": 1}, 2, "Invalid request: property name must be a string"),
        ({"method": "GET_PROPERTY", "id": 1}, 2, "Invalid request: property name must be a string"),
        ({"method": "GET_PROPERTY", "params": ["combined", 1], "id": 1}, 2, "Invalid request: too many parameters"),
        ({"method": "LIST_SUBSCRIPTIONS", "params": ["a"], "id": 1}, 2, "Invalid request: too many parameters"),
        ({"params": ["a"], "id": 1}, 2, "Invalid request: missing field `method`"),
        ({"method": "subscribe", "id": 1}, 2, "Invalid request: unknown variant `subscribe`, expected one of `SUBSC"),
        ({"method": "SUBSCRIBE", "params": [1], "id": 1}, 2, "Invalid request: invalid type"),
        ({"method": "SUBSCRIBE", "params": "a", "id": 1}, 2, "Invalid request: invalid type"),
        ({"method": "SUBSCRIBE", "params": [], "id": 1}, 2, "Invalid request: invalid type"),
        ([1], 2, "Invalid request: invalid type"),
    ],
)
def test_errors_have_binances_codes_and_words(command: Any, code: int, words: str) -> None:
    answer = json.loads(Session().answer(json.dumps(command)))
    assert answer["code"] == code
    assert answer["msg"].startswith(words)


@pytest.mark.parametrize("request_id", [-1, 0, 2**63 - 1, -(2**63), "a" * 36, "A1", None])
def test_ids_that_are_taken(request_id: object) -> None:
    assert ask(Session(), method="LIST_SUBSCRIPTIONS", id=request_id) == {"result": [], "id": request_id}


@pytest.mark.parametrize("request_id", [1.5, True, 2**63, "a" * 37, "", "a-b", "١", [], {}])
def test_ids_that_are_not(request_id: object) -> None:
    words = "Invalid request: request ID must be an unsigned integer"
    assert ask(Session(), method="LIST_SUBSCRIPTIONS", id=request_id) == {"code": 2, "msg": words}
    assert ask(Session(), method="LIST_SUBSCRIPTIONS") == {"code": 2, "msg": words}


@pytest.mark.parametrize(
    "message", ["", "{", '{"id":NaN}', "[" * 100_000, "1" * 5_000, b"\xff", "\ufeff{}", b'{\x00"\x00', "'"]
)
def test_what_is_no_json(message: str | bytes) -> None:
    answer = json.loads(Session().answer(message))
    assert answer["code"] == 3
    assert re.fullmatch(r"Invalid JSON: expected value at line \d+ column \d+", answer["msg"])


def test_at_most_1024_streams() -> None:
    session = Session(tuple(f"s{n}@trade" for n in range(1_023)))
    assert "result" in ask(session, method="SUBSCRIBE", params=["s1@trade", "last@trade"], id=1)
    assert ask(session, method="SUBSCRIBE", params=["more@trade"], id=1)["code"] == 2
    assert len(session.streams) == 1_024
    with pytest.raises(RefusedError, match="1024"):
        open_session("/stream?streams=" + "/".join(f"s{n}@trade" for n in range(1_025)))


@settings(deadline=None)
@given(st.text() | st.binary())
def test_no_text_at_all_breaks_it(message: str | bytes) -> None:
    answer = json.loads(Session().answer(message))
    assert "code" in answer


@settings(deadline=None)
@given(JSON | st.fixed_dictionaries({"method": st.sampled_from(METHODS), "params": st.lists(JSON), "id": JSON}))
def test_no_json_at_all_breaks_it(command: object) -> None:
    session = Session(("btcusdt@trade",))
    answer = json.loads(session.answer(json.dumps(command)))
    assert ("code" in answer) != ("result" in answer)
    json.loads(session.answer('{"method":"LIST_SUBSCRIPTIONS","id":1}'))["result"]


@settings(deadline=None)
@given(st.text())
def test_any_target_opens_or_is_refused(target: str) -> None:
    for path in (target, f"/ws/{target}", f"/stream?{target}"):
        with suppress(RefusedError):
            assert isinstance(open_session(path), Session)


def test_combined_streams() -> None:
    session = open_session("/stream?streams=btcusdt@trade/" + quote("币安人生usdt@trade"))
    assert list(session.streams) == ["btcusdt@trade", "币安人生usdt@trade"]
    assert session.combined
    assert not session.microseconds


@pytest.mark.parametrize("target", ["/ws/btcusdt@trade", "/ws/btcusdt@trade?timeUnit=MILLISECOND"])
def test_raw_streams(target: str) -> None:
    session = open_session(target)
    assert (list(session.streams), session.combined) == (["btcusdt@trade"], False)


@pytest.mark.parametrize("target", ["/ws", "/stream", "/stream?streams=", "/ws/"])
def test_without_streams_at_first(target: str) -> None:
    assert not open_session(target).streams


def test_time_units() -> None:
    assert open_session("/stream?streams=a@trade&timeUnit=MICROSECOND").microseconds
    assert open_session("/ws/a@trade?timeUnit=microsecond").microseconds
    with pytest.raises(RefusedError, match="time unit"):
        open_session("/ws/a@trade?timeUnit=NANOSECOND")


def test_other_paths_are_refused() -> None:
    with pytest.raises(RefusedError):
        open_session("/wsx/btcusdt@trade")


def test_the_shutdown_event() -> None:
    assert server_shutdown(1770123456789, combined=False, microseconds=False) == (
        b'{"e":"serverShutdown","E":1770123456789}'
    )
    assert server_shutdown(1770123456789, combined=True, microseconds=True) == (
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789000}}'
    )
