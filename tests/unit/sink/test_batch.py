"""The sink's pure core: when a batch is due, what may be committed, and finding the bad rows of a batch."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sink.batch import Bad, Batch, Record, RefusedError, Row, insert_all


def record(offset: int, topic: str = "t", partition: int = 0) -> Record:
    return Record(topic, partition, offset, b"key", b"value")


def row(offset: int, topic: str = "t", partition: int = 0) -> Row:
    return Row(record(offset, topic, partition), (offset,))


def test_a_batch_is_due_when_full_or_old_and_never_when_empty() -> None:
    batch = Batch(limit=2, linger=0.5)
    assert not batch.due(1e9)
    assert batch.wait(1e9) == 0.5
    batch.add("t", row(0), 10.0)
    assert not batch.due(10.4)
    assert batch.wait(10.4) == pytest.approx(0.1)
    assert batch.due(10.5)
    batch.add("t", row(1), 10.1)
    assert batch.due(10.1)


def test_offsets_are_the_next_after_the_last_of_each_partition_whatever_became_of_the_record() -> None:
    batch = Batch(10, 1.0)
    batch.add("t", row(4), 0.0)
    batch.add("t", row(7, partition=1), 0.0)
    batch.add_bad(Bad(record(5), "VALUE_CONVERTER", ValueError("x")), 0.0)
    batch.add_tombstone(record(6), 0.0)
    batch.add("u", row(0, "u"), 0.0)
    assert batch.offsets() == {("t", 0): 7, ("t", 1): 8, ("u", 0): 1}
    assert len(batch) == 5
    assert batch.tombstones == 1


def test_what_belongs_to_another_consumer_now_is_neither_written_nor_committed() -> None:
    batch = Batch(10, 1.0)
    batch.add("t", row(1), 0.0)
    batch.add("t", row(1, partition=1), 0.0)
    batch.add_bad(Bad(record(2), "VALUE_CONVERTER", ValueError("x")), 0.0)
    batch.drop([("t", 0)])
    assert batch.offsets() == {("t", 1): 2}
    assert [one.record.partition for one in batch.rows["t"]] == [1]
    assert batch.bad == []
    batch.drop([("t", 1)])
    assert len(batch) == 0
    assert not batch.due(1e9)


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
def test_exactly_the_bad_rows_are_found_and_every_good_one_is_inserted_once(size: int, bad: set[int]) -> None:
    inserted: list[int] = []

    def insert(rows: Sequence[Row]) -> None:
        offsets = [one.record.offset for one in rows]
        if bad.intersection(offsets):
            raise RefusedError
        inserted.extend(offsets)

    found = insert_all([row(n) for n in range(size)], insert)
    assert [one.record.offset for one, _ in found] == sorted(n for n in bad if n < size)
    assert inserted == [n for n in range(size) if n not in bad]


def test_one_bad_row_costs_a_logarithm_of_attempts() -> None:
    attempts = 0

    def insert(rows: Sequence[Row]) -> None:
        nonlocal attempts
        attempts += 1
        if any(one.record.offset == 777 for one in rows):
            raise RefusedError

    assert len(insert_all([row(n) for n in range(10_000)], insert)) == 1
    assert attempts <= 2 * 14 + 1


def test_other_errors_pass_through() -> None:
    def insert(_: Sequence[Row]) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        insert_all([row(1), row(2)], insert)


def test_nothing_is_inserted_of_nothing() -> None:
    def insert(_: Sequence[Row]) -> None:
        raise AssertionError

    assert insert_all([], insert) == []
