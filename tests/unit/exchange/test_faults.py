from collections.abc import Mapping

import pytest

from pipeline.exchange.faults import KEYS, Action, FaultError, FaultPlan, RestFault, parse_fault
from pipeline.exchange.malformed import KINDS, MALFORMED
from pipeline.exchange.trades import Frame, MadeTrade, trade_frame

FRAMES = [trade_frame(MadeTrade("BTCUSDT", n, 100, 100, 1723161255343, 1723161255342, True)) for n in range(10_000)]


def plan(name: str, args: Mapping[str, float] | None = None, seed: int = 1) -> FaultPlan:
    made = FaultPlan(seed)
    made.ask(name, args)
    return made


def numbers(frames: list[Frame]) -> list[int]:
    return [FRAMES.index(frame) for frame in frames]


def test_without_faults_frames_pass() -> None:
    assert FaultPlan(1).frames(FRAMES[:5]) == FRAMES[:5]


def test_the_next_frame_by_default() -> None:
    drop = plan("drop")
    assert numbers(drop.frames(FRAMES[:3])) == [1, 2]
    assert drop.made == {"drop": 1}


def test_every_nth() -> None:
    drop = plan("drop", {"every": 3})
    assert numbers(drop.frames(FRAMES[:4]) + drop.frames(FRAMES[4:7])) == [0, 1, 3, 4, 6]


def test_a_probability_is_deterministic_with_the_seed_and_about_right() -> None:
    sent = [plan("drop", {"probability": 0.1}, seed).frames(FRAMES) for seed in (1, 1, 2)]
    assert sent[0] == sent[1] != sent[2]
    assert 850 < 10_000 - len(sent[0]) < 1_150


def test_repeat() -> None:
    repeat = plan("repeat", {"next": 2})
    assert numbers(repeat.frames(FRAMES[:3])) == [0, 0, 1, 1, 2]
    assert repeat.made == {"repeat": 2}


def test_reorder_loses_nothing_and_moves_within_its_depth() -> None:
    reorder = plan("reorder", {"every": 4, "depth": 3})
    # Batches of any size: a frame may be held back from one to the next.
    sent = [frame for at in range(0, 200, 7) for frame in reorder.frames(FRAMES[at : min(at + 7, 200)])]
    sent += reorder.rest_of_frames()
    moved = numbers(sent)
    assert sorted(moved) == list(range(200))
    assert moved != list(range(200))
    assert max(abs(place - number) for place, number in enumerate(moved)) <= 3
    assert reorder.made["reorder"] > 30


def test_what_is_held_back_comes_out_at_the_end() -> None:
    reorder = plan("reorder")
    assert reorder.frames(FRAMES[:1]) == []
    assert numbers(reorder.rest_of_frames()) == [0]
    assert reorder.rest_of_frames() == []


def test_malformed_frames_come_before_real_ones_kind_after_kind() -> None:
    malformed = plan("malformed", {"next": len(KINDS)})
    sent = malformed.frames(FRAMES[: len(KINDS)])
    assert sent[1::2] == FRAMES[: len(KINDS)]
    assert [frame.text for frame in sent[::2]] == [
        MALFORMED[kind](frame.text) for kind, frame in zip(KINDS, FRAMES, strict=False)
    ]
    assert malformed.made == {"malformed": len(KINDS)}


def test_one_kind_of_malformed_frame() -> None:
    sent = plan("malformed", {"next": 2, "case": KINDS.index("null")}).frames(FRAMES[:2])
    assert [frame.text for frame in sent[::2]] == [b"null", b"null"]


def test_only_trades_are_made_malformed() -> None:
    depth = Frame("btcusdt", b'{"stream":"btcusdt@depth","data":{"e":"depthUpdate"}}')
    malformed = plan("malformed")
    assert malformed.frames([depth]) == [depth]
    assert len(malformed.frames(FRAMES[:1])) == 2


def test_a_fault_is_ended_by_asking_for_none() -> None:
    drop = plan("drop", {"every": 1})
    drop.ask("drop", {"next": 0})
    assert drop.frames(FRAMES[:3]) == FRAMES[:3]


def test_actions_are_due_after_frames_and_so_many_times() -> None:
    reset = plan("reset", {"after": 10, "count": 2})
    assert reset.until_action() == 10
    assert reset.actions(4) == []
    assert reset.until_action() == 6
    assert reset.actions(6) == [Action("reset", 5.0)]
    assert reset.actions(10) == [Action("reset", 5.0)]
    assert reset.until_action() is None
    assert plan("silence", {"seconds": 2}).actions() == [Action("silence", 2.0)]


def test_accept_close_and_rest_answers_are_used_up() -> None:
    close = plan("accept_close", {"next": 2})
    assert [close.accept_close() for _ in range(3)] == [True, True, False]
    rest = plan("rest_status", {"status": 429, "retry_after": 7})
    assert [rest.rest(), rest.rest()] == [RestFault(429, 7), None]
    assert plan("rest_status", {"status": 418}).rest() == RestFault(418, 5)
    assert plan("rest_status").rest() == RestFault(503, None)
    assert rest.made == {"rest_status": 1}
    assert close.made == {"accept_close": 2}


def test_the_command_lines_form() -> None:
    assert parse_fault("drop") == ("drop", {})
    assert parse_fault("drop:probability=0.1,next=3") == ("drop", {"probability": 0.1, "next": 3.0})
    assert parse_fault("rest_status:status=timeout") == ("rest_status", {"status": 0.0})


@pytest.mark.parametrize("text", ["drop:next", "drop:next=x", "drop:=,"])
def test_what_is_not_of_that_form(text: str) -> None:
    with pytest.raises(FaultError, match="key=number"):
        parse_fault(text)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("nosuch", {}),
        ("drop", {"seconds": 1}),
        ("drop", {"next": -1}),
        ("drop", {"probability": float("nan")}),
        ("rest_status", {"status": 200}),
    ],
)
def test_what_cannot_be_made_is_refused(name: str, args: dict[str, float]) -> None:
    with pytest.raises(FaultError):
        plan(name, args)


@pytest.mark.parametrize("name", KEYS)
def test_every_fault_works_with_its_defaults(name: str) -> None:
    asked = plan(name)
    asked.frames(FRAMES[:10])
    asked.actions(10)
    assert asked.until_action() is None
