"""Everything in this folder needs the real local servers: the jars must be there, or be fetched."""

from pathlib import Path

import pytest

from pipeline.services import jars
from pipeline.settings import Settings
from tests.conftest import unavailable


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and give it the time that servers take."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session", autouse=True)
def servers() -> None:
    """Download the servers once."""
    cache = Settings.load({}, None).cache
    try:
        jars.kafka_jars(cache, lambda _progress: None)
        jars.registry_archive(cache, lambda _progress: None)
    except jars.DownloadError as error:
        unavailable(f"the servers cannot be fetched: {error}")
