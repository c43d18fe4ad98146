"""A child's end of the pipes, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Says on standard error, which is another pipe, that it could send everything.
CHATTY = """
import sys
from pipeline.child import Channel
from pipeline.events import LogLine
channel = Channel()
for number in range(20_000):
    channel.send(LogLine(level="WARNING", time=number, message="x" * 50))
print("sent", file=sys.stderr, flush=True)
"""
STDIN = """
import threading
from pipeline.child import Channel
from pipeline.events import Ready
channel, over = Channel(), threading.Event()
channel.listen(lambda command: channel.send(Ready(detail=",".join(command.symbols or ()))), over.set)
over.wait(10)
channel.send(Ready(detail="over"))
"""


def start(code: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


def test_a_parent_that_does_not_read_never_holds_a_child_up() -> None:
    with start(CHATTY) as child:
        assert child.stderr
        assert child.stdout
        assert child.stderr.readline() == "sent\n"
        events = [json.loads(line) for line in child.stdout]
    times = [event["time"] for event in events]
    assert times == sorted(times)
    assert times[-1] == 19_999, "the newest are what is kept"
    assert len(times) < 20_000
    assert child.returncode == 0


def test_commands_come_in_and_the_end_is_told() -> None:
    with start(STDIN) as child:
        out, _ = child.communicate('{"symbols":["A","B"]}\nnonsense\n{"symbols":["C"]}\n', timeout=10)
    assert [json.loads(line)["detail"] for line in out.splitlines()] == ["A,B", "C", "over"]


def test_a_parent_that_is_gone_is_no_error() -> None:
    with start(CHATTY) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        assert child.stderr.readline() == "sent\n"
        assert child.stderr.read() == ""
    assert child.returncode == 0
