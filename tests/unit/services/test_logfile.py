import os
from pathlib import Path

import pytest

from pipeline.services.logfile import LogFile, cap, tail


def words(path: Path, text: str, *, of_error: bool) -> str:
    log = LogFile(path)
    try:
        os.write(log.fd, text.encode())
        return log.last_words(of_error=of_error)
    finally:
        log.close()


def test_only_this_run_speaks(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    assert words(path, "ERROR of the first run\n\n", of_error=True) == "ERROR of the first run"
    assert words(path, "", of_error=True) == ""
    assert path.stat().st_mode & 0o077 == 0


def test_the_error_is_found_behind_its_stack_and_the_tidying_up(tmp_path: Path) -> None:
    text = (
        "INFO starting\nERROR Exiting Kafka due to fatal exception\njava.net.BindException: Address already in use\n"
        "\tat java.base/sun.nio.ch.Net.bind0(Native Method)\n\t... 13 more\nINFO shutting down\n\n"
    )
    found = words(tmp_path / "a.log", text, of_error=True)
    assert found == "java.net.BindException: Address already in use"
    assert words(tmp_path / "b.log", text, of_error=False) == "INFO shutting down"


def test_last_words_are_cleaned_and_bounded(tmp_path: Path) -> None:
    found = words(tmp_path / "a.log", "x\x1b]0;owned\x07\u202e" + "y" * 200_000, of_error=False)
    assert "\x1b" not in found
    assert "\u202e" not in found
    assert len(found) < 600


def test_a_log_is_rotated_at_the_start_when_it_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    for run in range(7):
        log = LogFile(path, max_bytes=10, files=3)
        os.write(log.fd, f"{run}".encode() * 11)
        log.close()
    assert {file.name: file.read_text()[0] for file in tmp_path.iterdir()} == {
        "a.log": "6",
        "a.log.1": "5",
        "a.log.2": "4",
    }
    LogFile(path, max_bytes=11, files=3).close()
    assert path.read_text()[0] == "6", "small enough: it goes on"


def test_last_words_follow_a_file_that_the_child_rotated(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(path)
    path.replace(tmp_path / "a.log.1")
    path.write_text("the child's new file\n")
    os.write(log.fd, b"Fatal Python error: Aborted\n")
    assert log.last_words(of_error=True) == "Fatal Python error: Aborted"
    log.close()


def test_a_log_is_capped_under_a_running_process(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    assert not cap(path)
    path.write_text("before\n")
    log = LogFile(path)
    os.write(log.fd, b"x" * 20 + b"end\n")
    assert not cap(path, max_bytes=31, files=3)
    assert cap(path, max_bytes=10, files=3)
    assert (tmp_path / "a.log.1").read_text() == "xxxxxxend\n"
    assert path.read_text() == ""
    os.write(log.fd, b"after\n")
    assert path.read_text() == "after\n"
    assert log.last_words(of_error=False) == "after"
    log.close()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        LogFile(tmp_path / "file" / "a.log")


def test_the_tail_is_the_end_of_the_file_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"first\n\n" + b"x" * 70_000 + b"\n\x1b[2Jlast but one\r\n\xfflast")
    assert tail(path) == ["\\x1b[2Jlast but one\\x0d", "\\xfflast"], "the long line's end is no line"
    assert tail(path, lines=1) == ["\\xfflast"]
    path.write_bytes(b"")
    assert tail(path) == []
    with pytest.raises(FileNotFoundError):
        tail(tmp_path / "b.log")
