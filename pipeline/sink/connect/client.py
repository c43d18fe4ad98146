"""Kafka Connect's REST interface.

Source: Kafka's documentation ("Connect: REST API"), and answers seen on Connect 3.9. Calls block, each with a time-out.
While the workers rebalance they answer 409 to whatever changes something: asked again for a while. A connector's
configuration holds passwords in the clear: nothing of it is ever put into an error.
"""

import time
from typing import Any
from urllib.parse import quote

import httpx

from pipeline.text import clean

UNREACHABLE = 0
"""``ConnectError.code`` when no answer came at all."""
CONFLICT = 409
NOT_FOUND = 404
REBALANCE_PATIENCE_S = 30.0
RETRY_S = 0.5
_WORDS_LIMIT = 2_000


class ConnectError(RuntimeError):
    """Connect refused, or could not be asked. ``code`` is the HTTP status, 0 where there was no answer."""

    def __init__(self, code: int, message: str, url: str, doing: str) -> None:
        self.code = code
        self.message = clean(message, _WORDS_LIMIT, multiline=True)
        super().__init__(f"Connect {url}: could not {doing}: {self.message}" + (f" (HTTP {code})" if code else ""))

    @property
    def unreachable(self) -> bool:
        """No answer came: it is down, or not up yet."""
        return self.code == UNREACHABLE


class ConnectClient:
    """A client of a Connect cluster, through one of its workers; safe to use from several threads."""

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None = None,
        ca_file: str | None = None,
        timeout: float = 15.0,
        patience: float = REBALANCE_PATIENCE_S,
    ) -> None:
        """``timeout`` is in seconds for each step of a request, ``patience`` for a rebalance to end."""
        self.url = url.rstrip("/")
        self._patience = patience
        verify: Any = httpx.create_ssl_context(verify=ca_file) if ca_file else True
        self._client = httpx.Client(auth=auth, timeout=timeout, verify=verify, follow_redirects=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def version(self) -> dict[str, Any]:
        """Return ``version``, ``commit`` and ``kafka_cluster_id``."""
        return dict(self._ask("GET", "/", "ask for the version"))

    def plugins(self) -> dict[str, str]:
        """Return class → version of the connectors that are installed."""
        found = self._ask("GET", "/connector-plugins", "list the plugins")
        return {str(plugin["class"]): str(plugin.get("version", "")) for plugin in found}

    def validate(self, config: dict[str, str]) -> list[str]:
        """Return what is wrong with a configuration, in Connect's words: one line a key. Empty where it is right."""
        name = quote(config["connector.class"].rpartition(".")[2], safe="")
        path = f"/connector-plugins/{name}/config/validate"
        answer = self._ask("PUT", path, "validate the configuration", config)
        values = [entry["value"] for entry in answer.get("configs", [])]
        return [
            clean(f"{value['name']}: {' '.join(value['errors'])}", _WORDS_LIMIT)
            for value in values
            if value.get("errors")
        ]

    def connectors(self) -> dict[str, dict[str, Any]]:
        """Return name → ``status`` (connector, tasks) and ``info`` (config and all) of every connector."""
        return dict(self._ask("GET", "/connectors?expand=status&expand=info", "list the connectors"))

    def config(self, name: str) -> dict[str, str] | None:
        """Return a connector's configuration, passwords included; None where there is no such connector."""
        try:
            return dict(self._ask("GET", f"{_path(name)}/config", f"read the configuration of {name}"))
        except ConnectError as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def put(self, name: str, config: dict[str, str]) -> None:
        """Make a connector, or give it another configuration."""
        self._change("PUT", f"{_path(name)}/config", f"put the configuration of {name}", config)

    def restart_failed(self, name: str) -> None:
        """Restart the connector and its tasks, as far as they failed."""
        path = f"{_path(name)}/restart?includeTasks=true&onlyFailed=true"
        self._change("POST", path, f"restart the failed tasks of {name}")

    def pause(self, name: str) -> None:
        """Let the tasks stand still, with what they hold."""
        self._change("PUT", f"{_path(name)}/pause", f"pause {name}")

    def resume(self, name: str) -> None:
        """Let a paused or stopped connector go on."""
        self._change("PUT", f"{_path(name)}/resume", f"resume {name}")

    def stop(self, name: str) -> None:
        """Shut the tasks down; the connector and its offsets stay."""
        self._change("PUT", f"{_path(name)}/stop", f"stop {name}")

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """Return ``partition`` and ``offset`` for each partition that the connector has committed."""
        return list(self._ask("GET", f"{_path(name)}/offsets", f"read the offsets of {name}").get("offsets", []))

    def _change(self, method: str, path: str, doing: str, body: dict[str, str] | None = None) -> Any:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._ask(method, path, doing, body)
            except ConnectError as error:
                if error.code != CONFLICT or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_S)

    def _ask(self, method: str, path: str, doing: str, body: dict[str, str] | None = None) -> Any:
        try:
            response = self._client.request(method, self.url + path, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectError(UNREACHABLE, str(error) or type(error).__name__, self.url, doing) from error
        try:
            answer = response.json() if response.content else None
        except ValueError:
            answer = None
        if response.is_success:
            return answer
        said = answer.get("message") if isinstance(answer, dict) else response.text[:300]
        raise ConnectError(response.status_code, str(said or response.reason_phrase), self.url, doing)


def _path(name: str) -> str:
    return f"/connectors/{quote(name, safe='')}"
