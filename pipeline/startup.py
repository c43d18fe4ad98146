"""The start-up steps: topics, schemas, DDL. Each tells its result line by line, in the server's own words.

The steps know no profile and no order; ``run.py`` says when each may run, and runs it again when asked to.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.broker.topics import admin_client, ensure_topics, wanted_topics
from pipeline.child import now_ms
from pipeline.events import StepChanged, StepState
from pipeline.ledger import Stored
from pipeline.model import WINDOW_MS
from pipeline.schemas.registry import RegistryError, registry_of
from pipeline.schemas.subjects import SUBJECTS, load_schema
from pipeline.services import jars, jvm
from pipeline.services.registry import COMPATIBILITY
from pipeline.settings import Settings
from pipeline.store.audit import Ranges, check_windows, stored_trades
from pipeline.store.client import connect
from pipeline.store.ddl import apply
from pipeline.text import clean

Result = TypeVar("Result")
Fetch = Callable[[Path, jars.OnProgress, str | None], Result]
"""``jars.kafka_jars`` or ``jars.registry_archive``."""


class StepFailedError(RuntimeError):
    """A step did not succeed; the checklist has the details."""


class AbandonedError(RuntimeError):
    """Raised inside a step's thread when the stack stops: a download of minutes must not hold up a quit."""


class Checklist:
    """Runs steps in threads and tells their lines to ``emit`` in the event loop it was made in."""

    def __init__(self, emit: Callable[[StepChanged], None], loop: asyncio.AbstractEventLoop) -> None:
        self._emit = emit
        self._loop = loop
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """Let steps that still run end at their next line."""
        self._abandoned.set()

    def tell(self, group: str, name: str, state: StepState, detail: str = "") -> None:
        """Emit one line; from any thread. ``detail`` is cleaned here.

        Raises:
            AbandonedError: the stack stops.
        """
        if self._abandoned.is_set():
            raise AbandonedError
        step = StepChanged(group=group, name=name, state=state, detail=clean(detail), time=now_ms())
        self._loop.call_soon_threadsafe(self._emit, step)

    async def run(self, group: str, step: Callable[["Lines"], Result]) -> Result:
        """Run a blocking step in a thread and return its result.

        Raises:
            StepFailedError: a line of it failed.
        """
        lines = Lines(self, group)
        result = await asyncio.to_thread(step, lines)
        if lines.failed:
            raise StepFailedError(f"{group}: {'; '.join(lines.failed)}")
        return result


class Lines:
    """The lines of one run of a step; remembers which failed."""

    def __init__(self, checklist: Checklist, group: str) -> None:
        self._checklist = checklist
        self._group = group
        self.failed: list[str] = []

    def __call__(self, name: str, state: StepState, detail: str = "") -> None:
        """Tell the state of one line."""
        if state is StepState.FAILED:
            self.failed.append(f"{name}: {clean(detail)}")
        self._checklist.tell(self._group, name, state, detail)

    def failure(self, name: str, detail: str) -> StepFailedError:
        """Tell that a line failed, and return what to raise where nothing can come after it."""
        self(name, StepState.FAILED, detail)
        return StepFailedError(f"{self._group}: {self.failed[-1]}")


def java_runtime(settings: Settings, lines: Lines) -> jvm.JavaRuntime:
    """Prepare the Java runtime.

    Raises:
        StepFailedError: it does not run here.
    """
    lines("Java runtime", StepState.RUNNING)
    try:
        runtime = jvm.prepare(settings.cache)
    except (jvm.JavaError, OSError) as error:
        raise lines.failure("Java runtime", str(error)) from error
    lines("Java runtime", StepState.DONE)
    return runtime


def download(name: str, fetch: Fetch[Result], settings: Settings, lines: Lines) -> Result:
    """Fetch what is missing of the servers, with progress.

    Raises:
        StepFailedError: it cannot be fetched.
    """

    def show(progress: jars.Progress) -> None:
        share = f"{progress.done / progress.total:.0%}  " if progress.total else ""
        lines(name, StepState.RUNNING, share + progress.detail)

    lines(name, StepState.RUNNING)
    try:
        result = fetch(settings.cache, show, settings.maven_repository_url)
    except (jars.DownloadError, OSError) as error:
        raise lines.failure(name, str(error)) from error
    lines(name, StepState.DONE)
    return result


def topics(settings: Settings, lines: Lines) -> None:
    """Create the topics that are missing, compare those that exist."""
    specs = wanted_topics(settings)
    for spec in specs:
        lines(spec.name, StepState.RUNNING)
    ensure_topics(admin_client(settings), specs, lines)


def schemas(settings: Settings, lines: Lines) -> None:
    """Register every subject, before any other part touches one; show the registry's compatibility."""
    registry = registry_of(settings)
    try:
        level = registry.compatibility()
        # The local registry is started with it. A registry of the user's own serves others too: shown, not changed.
        same = level == COMPATIBILITY
        detail = level if same else f"{level}, expected {COMPATIBILITY}: incompatible schemas would be taken"
        lines("compatibility", StepState.EXISTS if same else StepState.DIFFERENT, detail)
    except RegistryError as error:
        lines("compatibility", StepState.FAILED, str(error))
    for subject, name in SUBJECTS.items():
        lines(subject, StepState.RUNNING)
        schema = load_schema(name)
        try:
            schema_id, existed = registry.ensure(subject, schema)
            lines(subject, StepState.EXISTS if existed else StepState.DONE, f"schema id {schema_id}")
        except RegistryError as error:
            lines(subject, StepState.FAILED, str(error))


def ddl(settings: Settings, lines: Lines) -> None:
    """Apply ``clickhouse/*.sql``, statement by statement."""
    try:
        client = connect(settings)
    except ClickHouseError as error:
        raise lines.failure("connection", str(error)) from error
    try:
        apply(client, "clickhouse", lines)
    finally:
        client.close()


def audit(settings: Settings, accepted: Ranges) -> Stored:
    """Look up in the store what is there of the accepted trades, and hold the windows against the stored trades.

    Raises:
        ClickHouseError: the store does not answer.
    """
    client = connect(settings)
    try:
        checks = {size: check_windows(client, size) for size in WINDOW_MS}
        return Stored(
            rows=stored_trades(client, accepted),
            due={size: check.due for size, check in checks.items()},
            closed={size: check.closed for size, check in checks.items()},
            wrong=tuple(words for check in checks.values() for words in check.differences),
        )
    finally:
        client.close()
