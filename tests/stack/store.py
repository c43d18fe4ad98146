"""The store of a home whose application has ended, opened once more for looking."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from pipeline.settings import Settings


@contextmanager
def opened_store(home: Path) -> Iterator[Client]:
    """Start the ClickHouse process on the home's data folder; yield a client."""
    settings = Settings.load({"home": home}, None)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pipeline.store.server",
            "--port",
            "0",
            "--path",
            str(home / "data" / "clickhouse"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **settings.environment()},
        text=True,
    )
    try:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        assert ready["event"] == "ready", ready
        url = urlsplit(ready["detail"])
        client = clickhouse_connect.get_client(host=url.hostname, port=url.port, autogenerate_session_id=False)
        try:
            yield client
        finally:
            client.close()
    finally:
        process.terminate()
        process.wait(30)
