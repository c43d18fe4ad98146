import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptostreamx_tui.panes.health.interrupts import interrupted
from cryptostreamx_tui.panes.health.plan import LEAST, Plan, plan
from cryptostreamx_tui.state import State
from tests.tui import fakes, health_fakes
from tests.tui.fakes import NOON

VIEWS = (("services", 12), ("stages", 9), ("brokers", 5), ("topics", 8))


@pytest.mark.parametrize(
    ("first", "width", "height", "expected"),
    [
        ("services", 80, 20, Plan(1, ("services", "stages"), (12, 8))),
        ("services", 80, 11, Plan(1, ("services",), (11,))),
        ("services", 120, 34, Plan(1, ("services", "stages", "brokers", "topics"), (12, 9, 5, 8))),
        ("topics", 80, 20, Plan(1, ("stages", "brokers", "topics"), (7, 5, 8))),
        ("brokers", 80, 20, Plan(1, ("stages", "brokers", "topics"), (7, 5, 8))),
        ("services", 200, 50, Plan(2, ("services", "stages", "brokers", "topics"), (12, 38))),
        ("stages", 200, 14, Plan(2, ("services", "stages"), (14,))),
    ],
)
def test_what_fits_from_the_first_on_and_before_it(first: str, width: int, height: int, expected: Plan) -> None:
    assert plan(VIEWS, first, width, height) == expected


def test_a_long_list_leaves_room_for_another_where_there_is_much() -> None:
    made = plan((("topics", 500), ("groups", 9), ("registry", 500)), "topics", 120, 40)
    assert made.keys == ("topics", "groups", "registry")
    assert made.heights[0] == 22


@given(
    st.lists(st.integers(2, 80), min_size=1, max_size=8),
    st.integers(0, 7),
    st.integers(1, 220),
    st.integers(1, 80),
)
def test_the_first_is_in_sight_and_the_height_is_used_exactly(
    wants: list[int], first: int, width: int, height: int
) -> None:
    views = tuple((str(index), lines) for index, lines in enumerate(wants))
    key = str(first % len(wants))
    made = plan(views, key, width, height)
    assert key in made.keys
    assert sum(made.heights) == height
    assert all(lines > 0 for lines in made.heights)
    assert len(made.heights) == -(-len(made.keys) // made.columns)
    assert list(made.keys) == sorted(made.keys, key=int)
    if len(made.heights) > 1:
        assert min(made.heights) >= min(LEAST, *wants)


def state(down: int | None = None) -> State:
    known = State()
    for event in (fakes.cluster(NOON, down), health_fakes.topics(NOON)):
        known.apply(event, NOON)
    return known


def test_what_is_interrupted_is_said_before() -> None:
    assert "the outage will be a gap" in interrupted("producer", state())
    assert "stored" in interrupted("clickhouse", state())
    assert "Kafka" in interrupted("sink", state())
    assert interrupted("something else", state()) == ""
    for name in fakes.SERVICES:
        assert interrupted(name, state()), name


def test_a_brokers_answer_depends_on_the_others() -> None:
    assert "acknowledged as before" in interrupted("kafka-0", state())
    assert "nothing is acknowledged" in interrupted("kafka-0", state(down=1))
    assert "acknowledged as before" in interrupted("kafka-1", state(down=1)), "it is down already"
    assert "is not known" in interrupted("kafka-0", State())
    known = State()
    known.apply(fakes.cluster(NOON, 1), NOON)
    assert "2 are needed" in interrupted("kafka-0", known), "of three brokers, where settings are unknown"
