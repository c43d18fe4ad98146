import json
from typing import Any

import msgspec
import pytest

from pipeline.windows.assignment import Assignment, assignment

UP = {"127.0.0.1:1/0": {"nodeid": 0, "state": "UP"}, "GroupCoordinator": {"nodeid": -1, "state": "UP"}}
DOWN = {"127.0.0.1:1/0": {"nodeid": 0, "state": "CONNECT"}, "GroupCoordinator": {"nodeid": -1, "state": "UP"}}


def statistics(partitions: dict[str, Any], brokers: dict[str, Any] = UP) -> str:
    return json.dumps({"name": "x", "brokers": brokers, "topics": {"t": {"topic": "t", "partitions": partitions}}})


def partition(app: int, committed: int, end: int, state: str = "active") -> dict[str, Any]:
    return {"fetch_state": state, "app_offset": app, "committed_offset": committed, "ls_offset": end}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (statistics({}), Assignment((), None)),
        (statistics({"0": partition(5, 3, 9), "-1": partition(-1001, -1001, -1001)}), Assignment((0,), 4)),
        (statistics({"0": partition(-1001, 3, 9)}), Assignment((0,), 6)),
        (statistics({"0": partition(-1001, -1001, 9)}), Assignment((0,), None)),
        (statistics({"0": partition(5, 3, -1001)}), Assignment((0,), None)),
        (statistics({"0": partition(5, 3, 9), "1": partition(7, 7, 8), "2": partition(0, 0, 5, "none")}),
         Assignment((0, 1), 5)),
        (statistics({"0": partition(5, 3, 9)}, DOWN), Assignment((0,), None)),
        (json.dumps({"topics": {"other": {}}}), Assignment((), None)),
    ],
)  # fmt: skip
def test_reads_partitions_and_lag(text: str, expected: Assignment) -> None:
    assert assignment(text, "t") == expected


def test_refuses_what_is_no_statistics() -> None:
    with pytest.raises(msgspec.DecodeError):
        assignment("{", "t")
