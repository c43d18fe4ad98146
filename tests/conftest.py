"""What all tests share: where the recorded market data is, and what CI must never skip."""

import os
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# How fast the machine is at the moment is no property of the code: the time-out of each test bounds them all.
hypothesis_settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("project")

RECORDED = Path(__file__).parents[1].parent / "shared" / "data" / "binance-spot-2024-08-08"


def unavailable(reason: str) -> NoReturn:
    """Skip with a plain reason on a person's machine; fail in CI, where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must run this test: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded market data; skips in a clone that has none."""
    if not RECORDED.is_dir():
        pytest.skip("the recorded market data (../shared/data) is not beside this clone")
    return RECORDED
