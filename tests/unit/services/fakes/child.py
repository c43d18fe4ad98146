"""A child for the supervisor's tests. Each argument is one thing it does, in order; standard library only.

ready, failed:REASON, stats:PROCESSED:LAG (one report), stats-forever:PROCESSED:LAG (ten a second), log:TEXT (a line on
standard error), garbage:N (N lines that are no events), huge:BYTES (one line that long), flood:N (N events), echo
(answers each command with a log event until standard input ends), deaf (ignores SIGTERM), grandchild[:deaf|:away]
(starts another process, deaf or in a session of its own), term:FILE (on SIGTERM appends its name to FILE and exits),
sleep, exit:CODE, die (SIGKILL to itself).
"""

import json
import os
import signal
import subprocess
import sys
import time


def say(event: str, **fields: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def log(message: str) -> None:
    say("log", level="WARNING", time=0, message=message)


def stats(processed: str, lag: str) -> None:
    say("windows", time=0, processed=int(processed), closed={}, late={}, duplicates=0, poison=0, lag=int(lag))


def on_term(path: str) -> None:
    def end(*_: object) -> None:
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - starts faster without pathlib
            file.write(os.environ["CRYPTOSTREAMX_SERVICE"] + "\n")
        os._exit(0)

    signal.signal(signal.SIGTERM, end)


def grandchild(kind: str) -> None:
    command = [sys.executable, "-I", "-S", __file__, *(["deaf"] if kind == "deaf" else []), "sleep"]
    process = subprocess.Popen(command, start_new_session=kind == "away")
    log(f"grandchild {process.pid}")


def main(actions: list[str]) -> None:
    for action in actions:
        what, _, detail = action.partition(":")
        match what:
            case "ready":
                say("ready")
            case "failed":
                say("failed", reason=detail)
            case "stats":
                stats(*detail.split(":"))
            case "stats-forever":
                while True:
                    stats(*detail.split(":"))
                    time.sleep(0.1)
            case "log":
                sys.stderr.write(detail + "\n")
                sys.stderr.flush()
            case "garbage":
                for number in range(int(detail)):
                    sys.stdout.write(f"\x1b[31mstrange {number}\n")
                sys.stdout.write('\n{"event": "nothing known"}\n' + "[" * 5000 + "\n" + '{"a":' * 5000 + "\n")
                sys.stdout.flush()
            case "huge":
                sys.stdout.write("x" * int(detail) + "\n")
                sys.stdout.flush()
            case "flood":
                for number in range(int(detail)):
                    log(str(number))
            case "echo":
                for line in sys.stdin:
                    log(line.strip())
            case "deaf":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            case "grandchild":
                grandchild(detail)
            case "term":
                on_term(detail)
            case "sleep":
                time.sleep(600)
            case "exit":
                sys.exit(int(detail))
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case _:
                sys.exit(f"what is {action!r}?")


if __name__ == "__main__":
    main(sys.argv[1:])
