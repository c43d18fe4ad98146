"""What all tests share: where the recorded market data is, and what CI must never skip."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

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
