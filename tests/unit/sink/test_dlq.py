"""Connect's headers on a dead letter."""

from pipeline.sink.batch import Bad, Record, RefusedError
from pipeline.sink.dlq import DECODING, WRITING, class_name, dead_letter_headers, stack_trace

CONNECT = (
    "topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name", "exception.class.name",
    "exception.message", "exception.stacktrace",
)  # fmt: skip


def refused() -> RefusedError:
    error = RefusedError("crypto.t refuses 1 row(s)")
    error.__cause__ = ConnectionError("Code: 469. DB::Exception: violated")
    return error


def test_own_headers_come_first_then_connects_in_its_order() -> None:
    record = Record("binance_trade", 3, 42, b"k", b"v", (("own", b"\xff"), ("none", None), ("own", b"again")))
    headers = dead_letter_headers(Bad(record, WRITING, refused()), "pipeline.sink.builtin.Sink")
    assert headers[:3] == [("own", b"\xff"), ("none", None), ("own", b"again")]
    assert tuple(name.removeprefix("__connect.errors.") for name, _ in headers[3:]) == CONNECT
    values = [(value or b"").decode() for _, value in headers[3:]]
    assert values[:3] == ["binance_trade", "3", "42"]
    assert values[5:9] == [
        "TASK_PUT",
        "pipeline.sink.builtin.Sink",
        "pipeline.sink.batch.RefusedError",
        "crypto.t refuses 1 row(s)",
    ]
    assert values[9].splitlines()[-1] == "Caused by: builtins.ConnectionError: Code: 469. DB::Exception: violated"


def test_the_last_cause_is_always_there() -> None:
    assert stack_trace(ValueError("short")).splitlines()[-1] == "Caused by: builtins.ValueError: short"
    causes = [line for line in stack_trace(refused()).splitlines() if line.startswith("Caused by: ")]
    assert causes == ["Caused by: builtins.ConnectionError: Code: 469. DB::Exception: violated"]


def test_hostile_text_stays_utf_8() -> None:
    bad = Bad(Record("t", 0, 0, None, b"v"), DECODING, ValueError("\ud800 \x1b[31m"))
    for _, value in dead_letter_headers(bad, class_name(bad)):
        assert value is not None
        value.decode()
