"""The windows process: settings from the environment, reports once a second on standard output.

Ready once the partitions are assigned and the state is recovered. Ends with 0 on SIGTERM, SIGINT or the end of standard
input, within five seconds; with 1 and ``Failed`` when it cannot go on, for the supervisor to start it again.
"""

import logging
import os
import signal
import socket
import sys
import threading
from typing import Any

from pipeline.broker.topics import admin_client, ensure_topics
from pipeline.child import Channel, now_ms, start_logging
from pipeline.events import Failed, Ready, StepState
from pipeline.home import Home
from pipeline.model import TRADE_TOPIC, WINDOW_TOPICS
from pipeline.schemas.codec import TradeDecoder, WindowEncoder
from pipeline.schemas.registry import registry_of
from pipeline.schemas.subjects import ensure_subjects
from pipeline.settings import Settings
from pipeline.text import clean
from pipeline.windows.assignment import assignment
from pipeline.windows.changelogs import changelog_topics
from pipeline.windows.quix import WindowsTopology, application
from pipeline.windows.stats import Tally

REPORT_S = 1.0
STOP_S = 4.0
"""For the orderly stop; then the process ends all the same, which is safe: it is what kill -9 would do."""

_log = logging.getLogger("pipeline.windows")


class TopicsError(RuntimeError):
    """The changelog topics cannot be made or read."""


class WindowsProcess:
    """The application, its reporting thread, and the ways it is told to stop."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._settings = settings
        self._channel = channel
        self._tally = Tally()
        self._ready = False
        self._loaded: frozenset[int] = frozenset()
        self._ended = threading.Event()
        self._app: Any = None

    def run(self) -> None:
        """Work until told to stop; in the main thread, as Quix sets signal handlers."""
        self._stop_on_signals()
        self._channel.listen(lambda _command: None, self._stop)
        _log.info("starting; Kafka at %s", self._settings.kafka_bootstrap_servers)
        self._ensure_changelogs()
        registry = registry_of(self._settings)
        ids = ensure_subjects(registry)
        registry.schema(ids[f"{TRADE_TOPIC}-value"])  # known from now on, also while the registry is away
        state = Home(self._settings.home).data / "windows"
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._app = application(self._settings, state, self._tally, self._on_statistics)
        encoders = {size: WindowEncoder(ids[f"{topic}-value"]) for size, topic in WINDOW_TOPICS.items()}
        self._topology = WindowsTopology(self._app, self._tally, TradeDecoder(registry), encoders)
        reporter = threading.Thread(target=self._report, name="report", daemon=True)
        reporter.start()
        try:
            self._app.run()
        finally:
            self._ended.set()
            reporter.join()

    def _ensure_changelogs(self) -> None:
        failed: list[str] = []

        def on_result(name: str, state: StepState, detail: str) -> None:
            _log.log(logging.INFO if state in (StepState.DONE, StepState.EXISTS) else logging.WARNING,
                     "topic %s: %s %s", name, state, detail)  # fmt: skip
            if state is StepState.FAILED:
                failed.append(f"{name}: {detail}")

        if not ensure_topics(admin_client(self._settings), changelog_topics(self._settings), on_result):
            raise TopicsError("; ".join(failed))

    def _on_statistics(self, statistics: str) -> None:
        """Look at the assignment; the client library calls this in the processing thread, inside a poll."""
        seen = assignment(statistics, TRADE_TOPIC)
        self._tally.lag = seen.lag
        if not seen.partitions or not self._topology.recovered():
            return
        for partition in set(seen.partitions) - self._loaded:
            self._topology.load(partition)
        self._loaded = frozenset(seen.partitions)
        if not self._ready:
            self._ready = True
            self._channel.send(Ready(detail=f"{len(seen.partitions)} partition(s) assigned, state recovered"))

    def _report(self) -> None:
        while not self._ended.wait(REPORT_S):
            self._channel.send(self._tally.report(now_ms()))
        self._channel.send(self._tally.report(now_ms()))

    def _stop(self) -> None:
        """Ask for the orderly stop, and see to it that it does not take for ever; from any thread."""
        if self._app is None:
            os._exit(0)  # nothing was begun
        self._app.stop()
        if not self._ended.wait(STOP_S):
            _log.warning(
                "no orderly end within %s s; ending now, the next start continues from the last commit", STOP_S
            )
            os._exit(0)

    def _stop_on_signals(self) -> None:
        # A Python signal handler waits until the main thread returns from the client library, which can take minutes
        # while the brokers are away. The wake-up descriptor is written at once, whatever the main thread does.
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        self._wakeup = sender
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)  # Quix replaces them when it runs

        def wait() -> None:
            receiver.recv(1)
            self._stop()

        threading.Thread(target=wait, name="signals", daemon=True).start()


def main() -> int:
    """Run the process; returns its exit code."""
    settings = Settings.from_environment()
    channel = Channel()
    start_logging(channel, settings, "windows")
    try:
        WindowsProcess(settings, channel).run()
    except Exception as error:  # noqa: BLE001 - the supervisor shows the reason, whatever it was
        _log.exception("the windows process cannot go on")
        channel.send(Failed(reason=clean(f"{type(error).__name__}: {error}")))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
