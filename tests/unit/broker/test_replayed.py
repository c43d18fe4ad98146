import multiprocessing
import threading
from pathlib import Path

import pytest

from pipeline.broker.replay import NotSentError, PerhapsSentError
from pipeline.broker.replayed import SENDING, SENT, AlreadyReplayedError, Replayed, identity
from pipeline.home import Home
from pipeline.model import DeadLetter

NOW = 1_723_118_671_000
LETTER = DeadLetter("dlq-producer", 0, 7, NOW, b"k", b"v")


@pytest.fixture
def replayed(tmp_path: Path) -> Replayed:
    return Replayed(Home(tmp_path))


def never() -> str:
    raise AssertionError("sent twice")


def test_once_only_and_remembered(replayed: Replayed, tmp_path: Path) -> None:
    assert replayed.marks() == {}
    mark = replayed.once(LETTER, lambda: "binance_trade/0@12", lambda: NOW, force=False)
    assert (mark.state, mark.target, mark.words) == (SENT, "binance_trade/0@12", "replayed to binance_trade/0@12")
    again = Replayed(Home(tmp_path))
    assert again.marks() == {identity(LETTER): mark}
    with pytest.raises(AlreadyReplayedError, match="dlq-producer/0@7 was replayed to binance_trade/0@12"):
        again.once(LETTER, never, lambda: NOW, force=False)
    forced = again.once(LETTER, lambda: "binance_trade/0@13", lambda: NOW, force=True)
    assert again.marks() == {identity(LETTER): forced}


def test_another_letter_at_the_same_place_is_another_letter(replayed: Replayed) -> None:
    replayed.once(LETTER, lambda: "t/0@1", lambda: NOW, force=False)
    other = DeadLetter("dlq-producer", 0, 7, NOW + 1, b"k", b"v")
    assert replayed.once(other, lambda: "t/0@2", lambda: NOW, force=False).target == "t/0@2"
    assert len(replayed.marks()) == 2


def test_what_certainly_failed_may_be_tried_again(replayed: Replayed) -> None:
    def fails() -> str:
        raise NotSentError("no such topic")

    with pytest.raises(NotSentError):
        replayed.once(LETTER, fails, lambda: NOW, force=False)
    assert replayed.marks() == {}
    sent = replayed.once(LETTER, lambda: "t/0@1", lambda: NOW, force=False)
    with pytest.raises(NotSentError):
        replayed.once(LETTER, fails, lambda: NOW, force=True)
    assert replayed.marks() == {identity(LETTER): sent}, "it was sent before, all the same"


@pytest.mark.parametrize("error", [PerhapsSentError("timed out"), MemoryError()])
def test_what_may_have_been_sent_counts_as_sent(replayed: Replayed, error: Exception) -> None:
    def dies() -> str:
        raise error

    with pytest.raises(type(error)):
        replayed.once(LETTER, dies, lambda: NOW, force=False)
    mark = replayed.marks()[identity(LETTER)]
    assert (mark.state, mark.words) == (SENDING, "perhaps replayed: no acknowledgement came")
    with pytest.raises(AlreadyReplayedError):
        replayed.once(LETTER, never, lambda: NOW, force=False)


def test_a_line_cut_short_by_a_crash_is_passed_over(replayed: Replayed, tmp_path: Path) -> None:
    replayed.once(LETTER, lambda: "t/0@1", lambda: NOW, force=False)
    path = tmp_path / "data" / "replayed.jsonl"
    path.write_bytes(path.read_bytes() + b'{"letter":"dlq-pro')
    other = DeadLetter("dlq-producer", 0, 8, NOW, b"k", b"v")
    replayed.once(other, lambda: "t/0@2", lambda: NOW, force=False)
    assert {mark.target for mark in replayed.marks().values()} == {"t/0@1", "t/0@2"}


def test_a_home_that_cannot_be_written_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="data"):
        Replayed(Home(tmp_path)).once(LETTER, never, lambda: NOW, force=False)


def _replay(home: Path, results: "multiprocessing.Queue[str]", ready: object) -> None:
    ready.wait(20)  # type: ignore[attr-defined]
    try:
        results.put(Replayed(Home(home)).once(LETTER, lambda: "t/0@1", lambda: NOW, force=False).target)
    except AlreadyReplayedError:
        results.put("already")


def test_two_processes_of_one_home_do_it_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[str] = spawn.Queue()
    ready = spawn.Event()
    processes = [spawn.Process(target=_replay, args=(tmp_path, results, ready)) for _ in range(3)]
    for process in processes:
        process.start()
    ready.set()
    for process in processes:
        process.join(60)
    assert sorted(results.get(timeout=10) for _ in processes) == ["already", "already", "t/0@1"]


def test_threads_wait_for_each_other(replayed: Replayed) -> None:
    outcomes: list[str] = []

    def one() -> None:
        try:
            outcomes.append(replayed.once(LETTER, lambda: "t/0@1", lambda: NOW, force=False).target)
        except AlreadyReplayedError:
            outcomes.append("already")

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["already", "already", "already", "t/0@1"]
