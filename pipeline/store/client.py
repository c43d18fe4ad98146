"""The store's client: clickhouse-connect over HTTP, the same for a ClickHouse server and for the local engine."""

from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.settings import APP, Settings
from pipeline.text import clean

CONNECT_SECONDS = 5
ANSWER_SECONDS = 60


def connect(settings: Settings, answer_seconds: int = ANSWER_SECONDS) -> Client:
    """Connect to ``clickhouse_url``. The client may be used by one thread at a time; no session, so any number may.

    Raises:
        clickhouse_connect.driver.exceptions.ClickHouseError: it does not answer, or refuses the credentials.
        RuntimeError: no address is known (a programming error: the stack fills it in).
    """
    if not settings.clickhouse_url:
        raise RuntimeError("clickhouse_url is not set")
    url = urlsplit(settings.clickhouse_url)
    secure = url.scheme == "https"
    password = settings.clickhouse_password
    return clickhouse_connect.get_client(
        interface="https" if secure else "http",
        host=url.hostname or "localhost",
        port=url.port or (8443 if secure else 8123),
        proxy_path=url.path,
        username=settings.clickhouse_username,
        password=password.get_secret_value() if password is not None else "",
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=answer_seconds,
        client_name=APP,
        # Sessions would forbid two queries at once, and nothing here needs one.
        autogenerate_session_id=False,
        tz_mode="aware",
    )


def told(error: BaseException) -> str:
    """Return the server's own words, or the system's where it did not answer, without the client's long address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and not isinstance(cause, ClickHouseError) and cause.strerror:
            return clean(f"ClickHouse does not answer: {cause.strerror}")
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    at = text.find("Code: ")
    return clean(text[max(0, at) :] or type(error).__name__)
