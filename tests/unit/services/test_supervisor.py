import asyncio
import os
from graphlib import CycleError
from pathlib import Path

import psutil
import pytest

from pipeline.events import ChildReport, Command, Ready, ServiceChanged, StackEvent
from pipeline.model import ServiceState
from pipeline.services.supervisor import ServiceFailedError, ServiceStoppedError
from tests.unit.services.conftest import Bench, eventually

S = ServiceState


async def test_ready_by_its_event_and_stopped_in_order(bench: Bench) -> None:
    bench.add("a", "ready", "sleep", address="127.0.0.1:1")
    assert bench.supervisor.view("a").state is S.STOPPED
    await bench.supervisor.start("a")
    await bench.supervisor.wait_ready("a")
    view = bench.supervisor.view("a")
    assert view.pid is not None
    assert psutil.pid_exists(view.pid)
    assert os.getpgid(view.pid) == os.getsid(view.pid) == view.pid, "a Ctrl+C in the terminal must not reach it"
    assert (view.address, view.log_path) == ("127.0.0.1:1", str(bench.folder / "a.log"))
    await bench.supervisor.stop("a")
    assert not psutil.pid_exists(view.pid)
    assert bench.states("a") == [S.WAITING, S.STARTING, S.READY, S.STOPPING, S.STOPPED]
    assert ChildReport("a", Ready()) in bench.events
    assert bench.supervisor.view("a").last_error is None


async def test_ready_by_a_probe_which_is_asked_until_it_is(bench: Bench) -> None:
    answers = ["not yet", "not yet", None]

    async def probe() -> str | None:
        return answers.pop(0)

    bench.add("server", "sleep", speaks_protocol=False, probe=probe)
    await bench.supervisor.start("server")
    await bench.supervisor.wait_ready("server")
    assert answers == []
    assert bench.supervisor.view("server").pid


async def test_without_a_probe_or_a_protocol_it_is_ready_once_it_runs(bench: Bench) -> None:
    bench.add("tool", "log:said on standard error", "sleep", speaks_protocol=False)
    await bench.supervisor.start("tool")
    await bench.supervisor.wait_ready("tool")
    log = bench.folder / "tool.log"
    await eventually(lambda: "said on standard error" in log.read_text())
    assert not bench.supervisor.send("tool", Command(reconnect=True))


async def test_each_waits_for_what_it_depends_on(bench: Bench) -> None:
    bench.add("sink", "ready", "sleep", depends_on=("store", "broker"))
    bench.add("store", "ready", "sleep", depends_on=("broker",))
    bench.add("broker", "ready", "sleep")
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("sink")
    order = [
        (event.name, event.state)
        for event in bench.events
        if isinstance(event, ServiceChanged) and event.state in (S.STARTING, S.READY)
    ]
    order = list(dict.fromkeys(order))
    assert order == [(name, state) for name in ("broker", "store", "sink") for state in (S.STARTING, S.READY)]


async def test_a_dependency_that_dies_later_stops_nobody_and_holds_no_restart_up(bench: Bench) -> None:
    bench.add("broker", "ready", "sleep")
    bench.add("producer", "ready", "sleep", depends_on=("broker",))
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("producer")
    await bench.supervisor.stop("broker")
    first = bench.supervisor.view("producer")
    assert first.state is S.READY
    assert first.pid is not None
    seen = len(bench.events)
    os.kill(first.pid, 9)
    again = await bench.state("producer", S.READY, seen)
    assert again.pid != first.pid
    await bench.supervisor.restart("producer")
    await bench.supervisor.wait_ready("producer")


async def test_waiting_for_one_whose_dependency_failed_says_so(bench: Bench) -> None:
    bench.add("broker", "failed:port 9092 is taken", "exit:1")
    bench.add("producer", "ready", "sleep", depends_on=("broker",))
    await bench.supervisor.start()
    with pytest.raises(ServiceFailedError, match="producer: waits for broker: port 9092 is taken"):
        await bench.supervisor.wait_ready("producer")
    assert bench.supervisor.view("producer").state is S.WAITING


async def test_a_service_stopped_by_hand_stays_stopped_and_is_no_failure(bench: Bench) -> None:
    bench.add("broker", "ready", "sleep")
    bench.add("producer", "ready", "sleep", depends_on=("broker",))
    await bench.supervisor.start("broker")
    await bench.supervisor.wait_ready("broker")
    await bench.supervisor.stop("broker")
    assert (bench.supervisor.view("broker").state, bench.supervisor.view("broker").last_error) == (S.STOPPED, None)
    await bench.supervisor.start("producer")
    with pytest.raises(ServiceStoppedError, match="producer: waits for broker: stopped"):
        await bench.supervisor.wait_ready("producer")
    assert bench.supervisor.view("broker").state is S.STOPPED, "nobody starts it but a person"
    await bench.supervisor.start("broker")
    await bench.supervisor.wait_ready("producer")
    assert bench.supervisor.view("broker").restarts == 0


async def test_wrong_specifications_are_refused(bench: Bench) -> None:
    bench.add("a", "sleep", depends_on=("b",))
    with pytest.raises(ValueError, match="a"):
        bench.add("a", "sleep")
    with pytest.raises(KeyError, match="b"):
        await bench.supervisor.start("a")
    bench.add("b", "sleep", depends_on=("a",))
    with pytest.raises(CycleError):
        await bench.supervisor.start("a")
    assert bench.events == []


async def test_an_unknown_name_starts_nothing(bench: Bench) -> None:
    bench.add("a", "sleep")
    with pytest.raises(KeyError, match="c"):
        await bench.supervisor.start("a", "c")
    assert (bench.events, bench.supervisor.guard_pid) == ([], None)


async def test_commands_reach_the_child(bench: Bench) -> None:
    bench.add("producer", "ready", "echo")
    assert not bench.supervisor.send("producer", Command(reconnect=True))
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("producer")
    assert bench.supervisor.send("producer", Command(symbols=("BTCUSDT", "币安人生USDT")))
    assert await bench.log_line("币安") == '{"symbols":["BTCUSDT","币安人生USDT"]}'


async def test_commands_to_a_child_that_does_not_read_are_refused_in_the_end(bench: Bench) -> None:
    bench.add("producer", "ready", "sleep")
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("producer")
    command = Command(symbols=("X" * 100_000,))
    sent = 0
    while bench.supervisor.send("producer", command):
        sent += 1
        assert sent < 100
    assert sent >= 10
    await bench.supervisor.stop("producer")
    assert not bench.supervisor.send("producer", command)


async def test_everything_stops_rank_by_rank(bench: Bench) -> None:
    order = bench.folder / "order"
    for name, rank in (("zookeeper", 0), ("windows", 40), ("kafka", 10), ("producer", 50), ("sink", 40)):
        bench.add(name, f"term:{order}", "ready", "sleep", stop_rank=rank)
    bench.add("waiting", "sleep", depends_on=("idle",))
    bench.add("idle", "sleep")
    await bench.supervisor.start("waiting", "zookeeper", "windows", "kafka", "producer", "sink")
    for name in ("zookeeper", "windows", "kafka", "producer", "sink"):
        await bench.supervisor.wait_ready(name)
    guard = bench.supervisor.guard_pid
    assert guard is not None
    assert psutil.pid_exists(guard)
    await bench.supervisor.stop_all()
    stopped = order.read_text().split()
    assert stopped[0] == "producer"
    assert sorted(stopped[1:3]) == ["sink", "windows"]
    assert stopped[3:] == ["kafka", "zookeeper"]
    assert {view.state for view in bench.supervisor.views()} == {S.STOPPED}
    assert not psutil.pid_exists(guard)


async def test_it_can_be_started_again_after_everything_was_stopped(bench: Bench) -> None:
    bench.add("a", "ready", "sleep")
    for _ in range(2):
        await bench.supervisor.start()
        await bench.supervisor.wait_ready("a")
        await bench.supervisor.stop_all()
    assert bench.states("a") == [S.WAITING, S.STARTING, S.READY, S.STOPPING, S.STOPPED] * 2


async def test_starts_at_the_same_time_make_one_guard(bench: Bench) -> None:
    for name in "abc":
        bench.add(name, "ready", "sleep")
    await asyncio.gather(*(bench.supervisor.start(name) for name in "abc"))
    processes = [process.cmdline() for process in psutil.Process().children()]
    assert len([command for command in processes if bench.run_id in command]) == 1


async def test_stopped_while_it_is_being_made(bench: Bench) -> None:
    bench.add("a", "ready", "sleep")
    await bench.supervisor.start("a")
    await bench.supervisor.stop("a")
    assert bench.states("a") == [S.WAITING, S.STARTING, S.STOPPING, S.STOPPED]
    with pytest.raises(ServiceFailedError, match="a: stopped"):
        await bench.supervisor.wait_ready("a")


async def test_a_start_during_the_stop_follows_it(bench: Bench) -> None:
    bench.add("a", "ready", "sleep")
    await bench.supervisor.start("a")
    await bench.supervisor.wait_ready("a")
    stopping = asyncio.create_task(bench.supervisor.stop("a"))
    await bench.state("a", S.STOPPING)
    await bench.supervisor.start("a")
    await stopping
    await bench.supervisor.wait_ready("a")


async def test_each_tick_tells_the_memory_with_grandchildren(bench: Bench) -> None:
    bench.add("a", "grandchild", "ready", "sleep")
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("a")
    own = psutil.Process(bench.supervisor.view("a").pid).memory_info().rss

    def with_grandchild(event: StackEvent) -> bool:
        return isinstance(event, ServiceChanged) and (event.memory or 0) > 1.5 * own

    assert await bench.until(with_grandchild)


async def test_many_events_of_one_child_do_not_starve_the_others(bench: Bench) -> None:
    bench.add("loud", "ready", "flood:20000", "echo")
    bench.add("other", "ready", "echo")
    await bench.supervisor.start("other")
    await bench.supervisor.wait_ready("other")
    await bench.supervisor.start("loud")
    await bench.supervisor.wait_ready("loud")
    turns = {len(bench.events)}
    while max(turns) < 20_000:
        await asyncio.sleep(0)
        turns.add(len(bench.events))
    assert len(turns) > 10, "others had their turn in between"
    assert bench.supervisor.send("other", Command(fault="x"))
    await bench.log_line('"fault":"x"')


async def test_a_child_gets_its_marks_and_nothing_it_should_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "canary")
    bench.add("a", "ready", "sleep", environment={"KAFKA_BOOTSTRAP_SERVERS": "x:1"}, stop_rank=7)
    await bench.supervisor.start()
    await bench.supervisor.wait_ready("a")
    pid = bench.supervisor.view("a").pid
    environment = psutil.Process(pid).environ()
    assert "SOME_SECRET" not in environment
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == "x:1"
    assert environment["CRYPTOSTREAMX_RUN_ID"] == bench.run_id
    assert (environment["CRYPTOSTREAMX_SERVICE"], environment["CRYPTOSTREAMX_STOP_RANK"]) == ("a", "7")


async def test_a_child_inherits_no_open_files(bench: Bench, tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w"):
        bench.add("a", "ready", "sleep")
        await bench.supervisor.start()
        await bench.supervisor.wait_ready("a")
        pid = bench.supervisor.view("a").pid
        assert psutil.Process(pid).num_fds() == 3
