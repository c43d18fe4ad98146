"""ksqlDB's REST interface: statements, and what the server says of itself.

Source: ksqlDB's API reference (``/ksql``, ``/info``, ``/healthcheck``, ``/clusterStatus``), and answers seen on a 7.9.0
server. Calls block, each with a time-out; trying again is the caller's business. It knows nothing of what the
statements mean.
"""

from typing import Any

import httpx

from pipeline.text import clean

CONTENT_TYPE = "application/vnd.ksql.v1+json"
UNREACHABLE = 0
"""``KsqlError.code`` when no answer came at all."""
NOT_READY = (50300, 50301, 50302, 50303, 50304)
"""503 with a code: the server is starting, or waits for a command before this one."""
NO_SUCH = "does not exist"
_WORDS_LIMIT = 2_000


class KsqlError(RuntimeError):
    """The server refused, or could not be asked.

    ``code`` is ksqlDB's error code (40001 a bad statement, 42801 …, 50000 an error of the server's own), the HTTP
    status where there is none, or 0 when there was no answer; ``message`` holds the server's or the system's own words
    and ``statement`` the statement it speaks of, both cleaned.
    """

    def __init__(self, code: int, message: str, url: str, statement: str = "") -> None:
        self.code = code
        self.message = clean(message, _WORDS_LIMIT, multiline=True)
        self.statement = clean(statement, _WORDS_LIMIT, multiline=True)
        what = f"ksqlDB {url}: {self.message}" + (f" (code {code})" if code else "")
        super().__init__(f"{what}; statement: {' '.join(self.statement.split())}" if statement else what)

    @property
    def not_ready(self) -> bool:
        """No answer, or the server is still starting: asking again may help."""
        return self.code in (UNREACHABLE, 503, *NOT_READY)


class KsqlClient:
    """A client of one ksqlDB server; safe to use from several threads."""

    def __init__(
        self, url: str, auth: tuple[str, str] | None = None, ca_file: str | None = None, timeout: float = 30.0
    ) -> None:
        """``timeout`` is in seconds and holds for connecting, for sending and for each read."""
        self.url = url.rstrip("/")
        verify: Any = httpx.create_ssl_context(verify=ca_file) if ca_file else True
        self._client = httpx.Client(auth=auth, timeout=timeout, verify=verify, follow_redirects=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def info(self) -> dict[str, Any]:
        """Return ``version``, ``kafkaClusterId``, ``ksqlServiceId`` and ``serverStatus``.

        Raises:
            KsqlError: no answer, or a refusal.
        """
        answer = self._ask("GET", "/info")
        return self._object(answer, "KsqlServerInfo")

    def health(self) -> dict[str, Any]:
        """Return ``isHealthy``, ``details`` by component (each with ``isHealthy``) and ``serverState``.

        Raises:
            KsqlError: no answer, or a refusal.
        """
        # An unhealthy server answers 503 with the same body.
        answer = self._ask("GET", "/healthcheck", unhealthy=True)
        if not isinstance(answer, dict) or "isHealthy" not in answer:
            raise self._not_understood(answer)
        return answer

    def run(
        self, statement: str, properties: dict[str, str] | None = None, after: int | None = None
    ) -> list[dict[str, Any]]:
        """Run one statement and return the answer's entities (``currentStatus``, ``queries`` …).

        ``properties`` are the statement's own (``ksql.streams.auto.offset.reset``); ``after`` is the number of a
        command that must have been carried out before (``commandSequenceNumber`` of an earlier answer).

        Raises:
            KsqlError: no answer, or a refusal in the server's words.
        """
        body: dict[str, Any] = {"ksql": statement, "streamsProperties": properties or {}}
        if after is not None:
            body["commandSequenceNumber"] = after
        answer = self._ask("POST", "/ksql", body, statement)
        if not isinstance(answer, list) or not all(isinstance(entity, dict) for entity in answer):
            raise self._not_understood(answer, statement)
        for entity in answer:
            status = entity.get("commandStatus")
            if isinstance(status, dict) and status.get("status") in ("ERROR", "TERMINATED"):
                raise KsqlError(200, str(status.get("message")), self.url, statement)
        return answer

    def entity(self, statement: str, kind: str) -> Any:
        """Run a statement that asks for something and return the entity's field of that name.

        Raises:
            KsqlError: no answer, a refusal, or an answer without it.
        """
        for entity in self.run(statement):
            if kind in entity:
                return entity[kind]
        raise KsqlError(200, f"the answer has no {kind!r}", self.url, statement)

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        statement: str = "",
        *,
        unhealthy: bool = False,
    ) -> Any:
        try:
            response = self._client.request(method, self.url + path, json=body, headers={"Accept": CONTENT_TYPE})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise KsqlError(UNREACHABLE, str(error) or type(error).__name__, self.url, statement) from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.is_success or (unhealthy and isinstance(answer, dict) and "isHealthy" in answer):
            return answer
        if isinstance(answer, dict) and "message" in answer:
            code = answer.get("error_code")
            said = str(answer.get("statementText") or statement)
            raise KsqlError(
                code if isinstance(code, int) else response.status_code, str(answer["message"]), self.url, said
            )
        words = response.text[:300] or response.reason_phrase
        raise KsqlError(response.status_code, f"HTTP {response.status_code}: {words}", self.url, statement)

    def _object(self, answer: Any, name: str) -> dict[str, Any]:
        found = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise self._not_understood(answer)
        return found

    def _not_understood(self, answer: Any, statement: str = "") -> KsqlError:
        return KsqlError(200, f"an answer that is not ksqlDB's: {str(answer)[:200]}", self.url, statement)
