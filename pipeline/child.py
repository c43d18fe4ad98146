"""A child's side of the protocol: events out on standard output, commands in on standard input, the log in a file.

Used by the producer, the windows, the sink, the exchange and the ClickHouse process. When standard input ends, the
parent is gone: the child stops in an orderly way, as on SIGTERM.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec

from pipeline.events import ChildEvent, Command, LogLine
from pipeline.home import Home
from pipeline.logs import log_to
from pipeline.settings import Settings
from pipeline.text import clean

KEPT = 1_000
"""Events that wait for a parent that does not read, at most."""
FLUSH_S = 2.0

_encoder = msgspec.json.Encoder()
_commands = msgspec.json.Decoder(Command)


def now_ms() -> int:
    """Return the wall clock in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Channel:
    """The two pipes to the supervisor, each with a thread of its own; sending is safe from any thread.

    An application that stands still, as its terminal does, must not hold up the data: what it does not read waits here,
    and of more than ``KEPT`` events the oldest are dropped. They are reports of a state that has passed; what is logged
    stands in the log file all the same.
    """

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=KEPT)
        self._changed = threading.Condition()
        self._writing = False
        self._gone = False
        threading.Thread(target=self._write, name="events", daemon=True).start()
        atexit.register(self.flush)

    def send(self, event: ChildEvent) -> None:
        """Send one event as a line; never waits. A parent that went away is no error here: ``listen`` tells of it."""
        line = _encoder.encode(event) + b"\n"
        with self._changed:
            self._waiting.append(line)
            self._changed.notify_all()

    def flush(self, seconds: float = FLUSH_S) -> None:
        """Wait until everything has been written, but no longer than that."""
        with self._changed:
            self._changed.wait_for(lambda: self._gone or not (self._waiting or self._writing), seconds)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                line = self._waiting.popleft()
                self._writing = True
            try:
                # Not sys.stdout: the interpreter takes its lock at exit, and dies if this thread waits inside it.
                while line:
                    line = line[os.write(1, line) :]
            except OSError:  # the parent is gone
                self._gone = True
                return
            finally:
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()

    def listen(self, on_command: Callable[[Command], None], on_end: Callable[[], None]) -> None:
        """Read commands in a daemon thread until standard input ends; both callbacks run in that thread."""

        def read() -> None:
            log = logging.getLogger("pipeline.child")
            # Not sys.stdin: the interpreter takes its lock at exit, and dies if this thread waits inside it.
            lines = os.fdopen(0, "rb", closefd=False)
            for line in lines:
                try:
                    command = _commands.decode(line)
                except msgspec.DecodeError as error:
                    log.error("command not understood: %s", error)
                    continue
                on_command(command)
            on_end()

        threading.Thread(target=read, name="commands", daemon=True).start()


class _LogLines(logging.Handler):
    """Sends warnings and errors to the supervisor as ``LogLine``."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(logging.WARNING)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message}: {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
        self._channel.send(
            LogLine(
                level=record.levelname,
                time=int(record.created * 1000),
                message=clean(message),
                reason=getattr(record, "reason", None),
                symbol=getattr(record, "symbol", None),
            )
        )


def start_logging(channel: Channel, settings: Settings, name: str) -> None:
    """Send the root logger to ``logs/<name>.log`` of the home, and warnings and errors up the channel too.

    ``log.warning(…, extra={"reason": …, "symbol": …})`` fills those fields of the ``LogLine``.

    Raises:
        OSError: the folder or the file cannot be made.
    """
    home = Home(settings.home)
    home.create()
    log_to(home.logs / f"{name}.log")
    logging.getLogger().addHandler(_LogLines(channel))
