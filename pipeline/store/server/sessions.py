"""HTTP sessions (``session_id``): a connection that stays, with its temporary tables and SET values, while it is used.

One query at a time in a session, as in ClickHouse. Blocking; called from the thread pool.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.store.server.ask import Ask
from pipeline.store.server.engine import Connection, Engine, Tally
from pipeline.store.server.errors import ServerError, refusal


@dataclass(slots=True)
class _Session:
    connection: Connection
    expires: float = 0.0
    busy: bool = False


class Lease:
    """A connection for one request; ``release`` gives it back (to its session, or for good)."""

    def __init__(self, connection: Connection, release: Callable[[], None]) -> None:
        self.connection = connection
        self.release = release


class Sessions:
    """Connections by session id, and fresh ones for requests without a session."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}

    def lease(self, ask: Ask) -> Lease:
        """Return a connection with the request's database and settings applied.

        Raises:
            ServerError: the session is in use (373) or unknown (372), or the settings are refused.
        """
        if ask.session_id is None:
            connection = self._engine.connect()
            try:
                connection.prepare(ask.database, ask.settings)
            except ServerError:
                connection.close()
                raise
            return Lease(connection, lambda: self._close(connection))
        session = self._take(ask.session_id, ask.session_check)
        connection = session.connection
        connection.tally = Tally(started=time.monotonic_ns())
        before: Mapping[str, str | None] = {}
        try:
            if ask.settings:
                before = connection.settings(list(ask.settings))
            connection.prepare(ask.database, ask.settings)
        except ServerError:
            self._put(ask, session, {})
            raise
        return Lease(connection, lambda: self._put(ask, session, before))

    def close(self) -> None:
        """Close every session's connection."""
        with self._lock:
            sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.connection.close()

    def _take(self, name: str, must_exist: bool) -> _Session:
        with self._lock:
            now = self._clock()
            idle = [key for key, one in self._sessions.items() if not one.busy and one.expires <= now]
            expired = [self._sessions.pop(key) for key in idle]
            session = self._sessions.get(name)
            if session is None:
                if must_exist:
                    raise refusal("SESSION_NOT_FOUND", f"Session {name[:80]} not found")
                session = self._sessions[name] = _Session(self._engine.connect())
            elif session.busy:
                raise refusal("SESSION_IS_LOCKED", f"Session {name[:80]} is locked by a concurrent client")
            session.busy = True
        for one in expired:
            one.connection.close()
        return session

    @staticmethod
    def _close(connection: Connection) -> None:
        try:
            connection.end()
        finally:
            connection.close()

    def _put(self, ask: Ask, session: _Session, before: Mapping[str, str | None]) -> None:
        assert ask.session_id is not None
        session.connection.end()
        keep = not ask.close_session
        if keep and before:
            # The URL's settings hold for its query only.
            try:
                session.connection.restore(before)
            except ServerError:
                keep = False  # readonly=1 cannot be taken back: the session ends
        with self._lock:
            session.busy = False
            session.expires = self._clock() + ask.session_timeout
            if not keep:
                self._sessions.pop(ask.session_id, None)
        if not keep:
            session.connection.close()
