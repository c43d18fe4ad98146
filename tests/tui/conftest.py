"""No test of the screen reads or writes what belongs to the person who runs it."""

from pathlib import Path

import platformdirs
import pytest


@pytest.fixture(autouse=True)
def folders_of_nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State and configuration in folders of this test alone; colours as everybody has them."""
    folder = tmp_path_factory.mktemp("nobody")
    monkeypatch.setattr(platformdirs, "user_state_dir", lambda name, *_: str(folder / "state" / name))
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda name, *_: str(folder / "config" / name))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return folder
