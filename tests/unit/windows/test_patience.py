from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from pipeline.windows.patience import AGAIN_S, NOT_YET, PATIENCE_S, patient


def failing(times: int, code: int) -> tuple[Callable[..., str], list[tuple[Any, ...]]]:
    asked: list[tuple[Any, ...]] = []

    def ask(*args: Any, timeout: float) -> str:
        asked.append((*args, timeout))
        if len(asked) <= times:
            raise KafkaException(KafkaError(code))
        return "answer"

    return ask, asked


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("code", sorted(NOT_YET))
def test_a_broker_that_cannot_answer_yet_is_asked_again(code: int) -> None:
    time = Time()
    ask, asked = failing(3, code)
    assert patient(ask, time.clock, time.wait)("a", timeout=1.0) == "answer"
    assert asked == [("a", 1.0)] * 4
    assert time.now == pytest.approx(3 * AGAIN_S)


def test_patience_ends() -> None:
    time = Time()
    ask, _ = failing(10_000, KafkaError.LEADER_NOT_AVAILABLE)
    with pytest.raises(KafkaException):
        patient(ask, time.clock, time.wait)(timeout=1.0)
    assert PATIENCE_S <= time.now <= PATIENCE_S + 1


def test_another_error_is_no_matter_of_patience() -> None:
    time = Time()
    ask, asked = failing(1, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(KafkaException):
        patient(ask, time.clock, time.wait)(timeout=1.0)
    assert len(asked) == 1
