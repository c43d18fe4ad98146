from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from pipeline.broker.page import Page, Record, TopicView, merged


def record(partition: int, offset: int, timestamp: int | None = None, value: bytes = b"") -> Record:
    return Record("t", partition, offset, timestamp, "create time", None, value)


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=4), st.integers(1, 12), st.booleans())
def test_every_partition_keeps_its_order_and_nothing_is_lost(stamps: list[list[int]], limit: int, newest: bool) -> None:
    queues = [deque(record(p, o, at) for o, at in enumerate(times)) for p, times in enumerate(stamps)]
    everything = [one for queue in queues for one in queue]
    taken = merged(queues, limit, newest=newest)
    left = [one for queue in queues for one in queue]
    assert len(taken) == min(limit, len(everything))
    assert sorted(one.place for one in (*taken, *left)) == sorted(one.place for one in everything)
    for partition in range(len(stamps)):
        mine = [one.offset for one in taken if one.partition == partition]
        assert mine == sorted(mine)
        rest = [one.offset for one in left if one.partition == partition]
        if mine and rest:
            assert mine[0] > rest[-1] if newest else mine[-1] < rest[0]


def test_records_are_merged_by_time() -> None:
    def queues() -> list[deque[Record]]:
        return [deque([record(0, 1, 10), record(0, 2, 40)]), deque([record(1, 7, 20), record(1, 8, 30)])]

    assert [one.timestamp for one in merged(queues(), 3, newest=False)] == [10, 20, 30]
    assert [one.timestamp for one in merged(queues(), 3, newest=True)] == [20, 30, 40]


def test_a_page_knows_its_edges() -> None:
    page = Page("t", (), {0: 5, 1: 3}, {0: 9, 1: 6}, {0: 5, 1: 0}, {0: 9, 1: 6})
    assert not page.is_first
    assert page.is_last
    assert Page("t", (), {0: 5}, {0: 9}, {0: 5}, {0: 10}).is_first
    assert not Page("t", (), {0: 5}, {0: 9}, {0: 5}, {0: 10}).is_last


def test_the_records_of_a_topic_are_unknown_where_a_partition_is() -> None:
    assert TopicView("t", {0: (5, 9), 1: (0, 3)}, 3, False).records == 7
    assert TopicView("t", {0: (5, 9), 1: None}, 3, False).records is None
    assert record(3, 17).place == "t/3@17"
