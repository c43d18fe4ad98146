"""The file of queries: bounded, each once, whole or not at all."""

import logging
from pathlib import Path

import pytest

from pipeline.store.history import KEPT, LONGEST, Ran, read, remember


def test_newest_first_and_each_once(tmp_path: Path) -> None:
    path = tmp_path / "home" / "queries.jsonl"
    assert read(path) == []
    for at, sql in enumerate(["SELECT 1", "SELECT 2\u2028\n'é'", " SELECT 1 ", ""]):
        remember(path, sql, at)
    assert read(path) == [Ran("SELECT 1", 2), Ran("SELECT 2\u2028\n'é'", 1)]
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["queries.jsonl"]


def test_it_does_not_grow_without_bounds(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    for number in range(KEPT + 5):
        remember(path, f"SELECT {number}", number)
    remember(path, "x" * (LONGEST + 1), 999)
    found = read(path)
    assert (len(found), found[0].sql, found[-1].sql) == (KEPT, f"SELECT {KEPT + 4}", "SELECT 5")


def test_a_line_that_is_no_query_is_told_of_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_bytes(b'{"at": 1, "sql": "SELECT 1"}\n\xff\xfe\n[]\n{"at": "x", "sql": 1}\n')
    with caplog.at_level(logging.WARNING):
        assert read(path) == [Ran("SELECT 1", 1)]
    assert len(caplog.records) == 3
    remember(path, "SELECT 2", 2)
    assert [ran.sql for ran in read(path)] == ["SELECT 2", "SELECT 1"]


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "queries.jsonl"
    remember(path, "SELECT 1", 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        remember(path, "SELECT 2", 2)
    assert [ran.sql for ran in read(path)] == ["SELECT 1"]
    assert [one.name for one in tmp_path.iterdir()] == ["queries.jsonl"]
