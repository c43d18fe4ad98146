"""The store of a home whose application has ended, opened once more for looking."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from pipeline.services.ports import free_port
from pipeline.settings import Settings


@contextmanager
def opened_store(home: Path) -> Iterator[Client]:
    """Start the ClickHouse process on the home's data folder; yield a client."""
    port = free_port(0)
    settings = Settings.load({"home": home}, None)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pipeline.store.server",
            "--port",
            str(port),
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
        first = process.stdout.readline()
        assert '"ready"' in first, first
        client = clickhouse_connect.get_client(host="127.0.0.1", port=port, autogenerate_session_id=False)
        try:
            yield client
        finally:
            client.close()
    finally:
        process.terminate()
        process.wait(30)
