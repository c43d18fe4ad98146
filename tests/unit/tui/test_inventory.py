from cryptostreamx_tui.inventory import TREND_MS, Inventory
from cryptostreamx_tui.state import State
from pipeline.events import StackPhase
from pipeline.inventory import GroupsSeen, GroupView, LagView, RegistrySeen, StoreSeen, TopicsSeen
from tests.tui import health_fakes
from tests.tui.fakes import NOON


def group(lag: int | None, name: str = "g") -> GroupView:
    return GroupView(name, "STABLE", (), (LagView("t", 0, None if lag is None else 0, lag),))


def test_a_look_that_failed_leaves_what_was_seen_and_its_age() -> None:
    inventory = Inventory()
    topics = inventory.topics
    assert (topics.seen, topics.age(NOON), topics.stale(NOON)) == (None, None, False)
    seen = health_fakes.topics(NOON)
    inventory.apply(seen)
    inventory.apply(TopicsSeen(NOON + 5_000, error="Timed out"))
    assert (topics.seen, topics.error, topics.age(NOON + 6_000)) == (seen, "Timed out", 6_000)
    assert not topics.stale(NOON + 20_000)
    assert topics.stale(NOON + 20_001)
    inventory.apply(health_fakes.topics(NOON + 30_000))
    assert (topics.error, topics.age(NOON + 30_000)) == (None, 0)


def test_every_kind_keeps_its_own_error() -> None:
    inventory = Inventory()
    for event in health_fakes.inventory(NOON):
        inventory.apply(event)  # type: ignore[arg-type]
    for failed in (
        GroupsSeen(NOON + 1, error="groups"),
        RegistrySeen(NOON + 1, error="registry"),
        StoreSeen(NOON + 1, error="store"),
    ):
        inventory.apply(failed)
    known = (inventory.topics, inventory.groups, inventory.registry, inventory.store)
    assert [one.error for one in known] == [None, "groups", "registry", "store"]
    assert all(one.seen is not None and one.age(NOON) == 0 for one in known)
    assert set(inventory.engines) == {"windows", "sink"}


def test_an_error_beside_groups_takes_both() -> None:
    inventory = Inventory()
    inventory.apply(GroupsSeen(NOON, (group(1),), "broker 2 is away"))
    assert inventory.groups.seen is not None
    assert inventory.groups.error == "broker 2 is away"
    inventory.apply(GroupsSeen(NOON + 1))
    assert inventory.groups.seen == GroupsSeen(NOON + 1), "no group at all is known too"


def test_the_trend_is_the_last_minute_of_known_lags() -> None:
    inventory = Inventory()
    assert (inventory.trend("g", NOON), inventory.growth("g", NOON), inventory.lag("g")) == ([], None, None)
    for second, lag in ((0, 500), (30, None), (40, 10), (70, 30)):
        inventory.apply(GroupsSeen(NOON + second * 1_000, (group(lag),)))
    now = NOON + 70_000
    assert inventory.trend("g", now) == [10, 30], "an unknown lag is no 0, and a minute is over"
    assert (inventory.growth("g", now), inventory.lag("g")) == (20, 30)
    assert inventory.growth("g", now + TREND_MS) is None
    inventory.apply(GroupsSeen(now, (group(1, "other"),)))
    assert inventory.trend("g", now) == [], "the group is gone"


def test_the_state_takes_the_inventory_and_another_run_begins_without_it() -> None:
    state = State()
    before = state.revision["inventory"]
    for event in health_fakes.inventory(NOON):
        state.apply(event, NOON)
    assert state.revision["inventory"] > before
    assert state.inventory.topics.seen is not None
    for phase in ("stopping", "stopped", "starting"):
        state.apply(StackPhase(phase, NOON), NOON)
    assert state.inventory.topics.seen is None
