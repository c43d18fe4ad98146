"""What a request asks for: query, database, format, settings, parameters, session - from URL, headers and form.

No I/O and no engine in here.
"""

import base64
import binascii
import email.parser
import email.policy
import hmac
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.store.server.errors import refusal

_TRANSPORT = {
    "buffer_size", "cancel_http_readonly_queries_on_client_close", "client_protocol_version", "close_session",
    "enable_http_compression", "http_headers_progress_interval_ms", "http_write_exception_in_output_format",
    "quota_key", "role", "send_progress_in_http_headers", "stacktrace",
}  # fmt: skip
"""Names in the URL that concern the transport of a ClickHouse server alone; the engine does not get them."""

DEFAULT_FORMAT = "TabSeparated"
_WORD = re.compile(r"\w{1,100}", re.ASCII)
_QUERY_ID = re.compile(r"[\x20-\x7e]{1,200}")


@dataclass(slots=True)
class Ask:
    """One request, understood."""

    query: str = ""
    """From the URL or a form; the body follows it."""
    database: str | None = None
    default_format: str = DEFAULT_FORMAT
    settings: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    """Values of ``{name:Type}``, escaped as in TabSeparated."""
    query_id: str = ""
    session_id: str | None = None
    session_timeout: float = 60.0
    session_check: bool = False
    close_session: bool = False
    wait_end_of_query: bool = False
    coded_answer: bool = False
    """The answer may be compressed as Accept-Encoding says."""
    user: str = "default"
    password: str = ""

    @property
    def most_bytes(self) -> int:
        """The setting max_result_bytes; 0 for no limit (or for what the engine refuses itself)."""
        value = self.settings.get("max_result_bytes", "0")
        return int(value) if value.isascii() and value.isdigit() else 0

    def take(self, items: Iterable[tuple[str, str]]) -> None:
        """Take the fields of a URL or of a form.

        Raises:
            ServerError: a value that cannot be, or what this server does not do.
        """
        for name, value in items:
            match name:
                case "query":
                    self.query += value
                case "database":
                    self.database = value
                case "default_format":
                    self.default_format = _word(name, value)
                case "query_id":
                    self.query_id = value if _QUERY_ID.fullmatch(value) else ""
                case "session_id":
                    self.session_id = value
                case "session_timeout":
                    self.session_timeout = _timeout(value)
                case "session_check":
                    self.session_check = _flag(value)
                case "close_session":
                    self.close_session = _flag(value)
                case "wait_end_of_query":
                    self.wait_end_of_query = _flag(value)
                case "enable_http_compression":
                    self.coded_answer = _flag(value)
                case "user":
                    self.user = value
                case "password":
                    self.password = value
                case "compress" | "decompress":
                    if _flag(value):
                        message = f"{name}=1 (ClickHouse's own block framing) is not supported here; use HTTP's codings"
                        raise refusal("NOT_IMPLEMENTED", message)
                case _ if name.startswith("param_"):
                    self.parameters[name.removeprefix("param_")] = value
                case _ if name not in _TRANSPORT:
                    self.settings[name] = value


def read_ask(url: Iterable[tuple[str, str]], headers: Mapping[str, str]) -> Ask:
    """Read a request's URL parameters and headers; the URL wins.

    Raises:
        ServerError: as ``Ask.take``; or credentials that cannot be read.
    """
    ask = Ask(database=headers.get("x-clickhouse-database"))
    if name := headers.get("x-clickhouse-format"):
        ask.default_format = _word("X-ClickHouse-Format", name)
    if (scheme_and_rest := headers.get("authorization", "").split(" ", 1))[0].lower() == "basic":
        try:
            user, _, password = base64.b64decode(scheme_and_rest[-1], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise refusal("AUTHENTICATION_FAILED", "Invalid HTTP authentication: it is no base64 of UTF-8") from None
        ask.user, ask.password = user, password
    ask.user = headers.get("x-clickhouse-user", ask.user)
    ask.password = headers.get("x-clickhouse-key", ask.password)
    ask.take(url)
    ask.query_id = ask.query_id or str(uuid.uuid4())
    return ask


def read_form(ask: Ask, content_type: str, body: bytes) -> None:
    """Read a multipart form into ``ask``: clickhouse-connect sends long parameters so.

    Raises:
        ServerError: a file in it (external data), which this server does not take.
    """
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not form.is_multipart():
        raise refusal("BAD_REQUEST_PARAMETER", "the body is no multipart form")
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            raise refusal("NOT_IMPLEMENTED", f"external data ({name}) are not supported here")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        ask.take([(str(name), payload.decode("utf-8", "surrogateescape"))])


def authenticate(ask: Ask, user: str, password: str) -> None:
    """Check the credentials against the configured ones; no configured password: everyone on loopback may.

    Raises:
        ServerError: they differ; which of them is not said.
    """
    if not password:
        return
    same = hmac.compare_digest(ask.user.encode(), user.encode())
    if not (hmac.compare_digest(ask.password.encode(), password.encode()) and same):
        message = "Authentication failed: password is incorrect, or there is no user with such name."
        raise refusal("AUTHENTICATION_FAILED", message)


def _flag(value: str) -> bool:
    return value not in ("", "0", "false")


def _word(name: str, value: str) -> str:
    if not _WORD.fullmatch(value):
        raise refusal("BAD_REQUEST_PARAMETER", f"{name} is no format's name")
    return value


def _timeout(value: str) -> float:
    if not value.isascii() or not value.isdigit() or int(value) > 3600:
        raise refusal("INVALID_SESSION_TIMEOUT", f"Invalid session timeout: '{value[:40]}' (0 to 3600 seconds)")
    return float(value)
