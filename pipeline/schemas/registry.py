"""The schema registry, by Confluent's REST interface (Confluent's own server, or Apicurio at ``/apis/ccompat/v7``).

Every call has a time-out and fails at once with ``RegistryError``; trying again is the caller's business. It knows
nothing of Kafka and nothing of what the schemas mean.
"""

import json
from typing import Any
from urllib.parse import quote

import httpx

from pipeline.settings import Settings
from pipeline.text import clean

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
UNREACHABLE = 0
"""``RegistryError.code`` when no answer came at all."""
_SUBJECT_NOT_FOUND = 40401
_SCHEMA_NOT_FOUND = 40403
_INVALID_SCHEMA = 42201


class RegistryError(RuntimeError):
    """The registry refused, or could not be asked.

    ``code`` is Confluent's error code (40401, 409, 42201 …), the HTTP status where there is none, or 0 when there was
    no answer; ``message`` holds the server's or the system's own words, cleaned.
    """

    def __init__(self, code: int, message: str, subject: str, doing: str, url: str) -> None:
        self.code = code
        self.message = clean(message)
        self.subject = subject
        what = f"registry {url}: could not {doing}"
        super().__init__(f"{what}: {self.message}" + (f" (code {code})" if code else ""))

    @property
    def no_such_schema(self) -> bool:
        """The registry answered, and the id names no Avro record: asking again would not help."""
        return self.code in (_SCHEMA_NOT_FOUND, _INVALID_SCHEMA)

    @property
    def unreachable(self) -> bool:
        """No answer came: it is down, or not up yet."""
        return self.code == UNREACHABLE


class Registry:
    """A client of one registry; safe to use from several threads. Schemas by id never change: they are cached."""

    def __init__(self, url: str, auth: tuple[str, str] | None = None, timeout: float = 10.0) -> None:
        """``timeout`` is in seconds and holds for connecting, for sending and for each read."""
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            auth=auth, timeout=timeout, headers={"Accept": f"{CONTENT_TYPE}, application/json"}, follow_redirects=True
        )
        self._schemas: dict[int, dict[str, Any]] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def register(self, subject: str, schema: dict[str, Any]) -> int:
        """Register a schema under a subject and return its id; a schema that is there already keeps its id.

        Raises:
            RegistryError: incompatible with the versions before it (409), invalid (422xx), or no answer.
        """
        path = f"/subjects/{quote(subject, safe='')}/versions"
        answer = self._ask("POST", path, {"schema": json.dumps(schema)}, subject, f"register the schema of {subject}")
        return self._integer(answer, "id", subject, f"register the schema of {subject}")

    def schema_id(self, subject: str, schema: dict[str, Any]) -> int | None:
        """Return the id of exactly this schema under the subject, None where it is not registered.

        Raises:
            RegistryError: any other refusal, or no answer.
        """
        doing = f"look up the schema of {subject}"
        try:
            answer = self._ask(
                "POST", f"/subjects/{quote(subject, safe='')}", {"schema": json.dumps(schema)}, subject, doing
            )
        except RegistryError as error:
            if error.code in (_SUBJECT_NOT_FOUND, _SCHEMA_NOT_FOUND):
                return None
            raise
        return self._integer(answer, "id", subject, doing)

    def ensure(self, subject: str, schema: dict[str, Any]) -> tuple[int, bool]:
        """Register a schema unless it is there already; return its id, and whether it was there.

        Raises:
            RegistryError: incompatible with the versions before it (409), invalid (422xx), or no answer.
        """
        known = self.schema_id(subject, schema)
        return (self.register(subject, schema), False) if known is None else (known, True)

    def schema(self, schema_id: int) -> dict[str, Any]:
        """Return the schema with this id, from memory if it was asked for before.

        Raises:
            RegistryError: there is none (40403), it is not an Avro record (42201), or no answer.
        """
        known = self._schemas.get(schema_id)
        if known is not None:
            return known
        doing = f"read schema {schema_id}"
        answer = self._ask("GET", f"/schemas/ids/{schema_id}", None, "", doing)
        text = answer.get("schema")
        if not isinstance(text, str):
            raise self._not_understood(answer, "", doing)
        try:
            schema = json.loads(text)
        except ValueError as error:
            raise RegistryError(_INVALID_SCHEMA, f"not an Avro schema: {text}", "", doing, self.url) from error
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise RegistryError(_INVALID_SCHEMA, f"not an Avro record: {text}", "", doing, self.url)
        self._schemas[schema_id] = schema
        return schema

    def schema_text(self, schema_id: int) -> tuple[str, str]:
        """Return the type (``AVRO``, ``JSON``, ``PROTOBUF``) and the text of the schema with this id.

        Raises:
            RegistryError: there is none (40403), or no answer.
        """
        doing = f"read schema {schema_id}"
        answer = self._ask("GET", f"/schemas/ids/{schema_id}", None, "", doing)
        kind, text = answer.get("schemaType", "AVRO"), answer.get("schema")  # Confluent's own leaves AVRO out
        if not isinstance(text, str) or not isinstance(kind, str):
            raise self._not_understood(answer, "", doing)
        return kind, text

    def compatibility(self) -> str:
        """Return the global compatibility level (``BACKWARD``, ``NONE`` …).

        Raises:
            RegistryError: no answer, or a refusal.
        """
        doing = "read the compatibility level"
        answer = self._ask("GET", "/config", None, "", doing)
        level = answer.get("compatibilityLevel")
        if not isinstance(level, str):
            raise self._not_understood(answer, "", doing)
        return level

    def get(self, path: str, doing: str) -> Any:
        """Return what the registry answers to a GET of ``path``: any JSON. ``doing`` is for the error's message.

        Raises:
            RegistryError: a refusal, no answer, or one that is not JSON.
        """
        return self._answer("GET", path, None, "", doing)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, subject: str, doing: str) -> dict[str, Any]:
        answer = self._answer(method, path, body, subject, doing)
        if not isinstance(answer, dict):
            raise RegistryError(200, f"answer not understood: {json.dumps(answer)}", subject, doing, self.url)
        return answer

    def _answer(self, method: str, path: str, body: dict[str, Any] | None, subject: str, doing: str) -> Any:
        headers = {"Content-Type": CONTENT_TYPE} if body is not None else {}
        try:
            response = self._client.request(
                method, self.url + path, content=None if body is None else json.dumps(body), headers=headers
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # httpx's time-outs have no text of their own.
            words = str(error) or type(error).__name__
            raise RegistryError(UNREACHABLE, words, subject, doing, self.url) from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.is_success and answer is not None:
            return answer
        code, message = response.status_code, response.text or response.reason_phrase
        if isinstance(answer, dict) and not response.is_success:
            code = answer["error_code"] if isinstance(answer.get("error_code"), int) else code
            message = str(answer.get("message") or message)
        raise RegistryError(code, message, subject, doing, self.url)

    def _integer(self, answer: dict[str, Any], key: str, subject: str, doing: str) -> int:
        value = answer.get(key)
        if not isinstance(value, int):
            raise self._not_understood(answer, subject, doing)
        return value

    def _not_understood(self, answer: dict[str, Any], subject: str, doing: str) -> RegistryError:
        return RegistryError(200, f"answer not understood: {json.dumps(answer)}", subject, doing, self.url)


def registry_of(settings: Settings, timeout: float = 10.0) -> Registry:
    """Return the registry that the settings name; ``timeout`` as in ``Registry``.

    Raises:
        RuntimeError: no address is known (a programming error: the stack fills it in).
    """
    if not settings.schema_registry_url:
        raise RuntimeError("schema_registry_url is not set")
    auth = None
    if settings.schema_registry_username is not None and settings.schema_registry_password is not None:
        auth = (settings.schema_registry_username, settings.schema_registry_password.get_secret_value())
    return Registry(settings.schema_registry_url, auth, timeout)
