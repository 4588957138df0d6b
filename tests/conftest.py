"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Deadlines fail on a busy machine. In CI the same examples are tried every time.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session")
def intarsia_data() -> Path:
    """The folder of real data sets."""
    if not os.environ.get("INTARSIA_DATA"):
        pytest.skip("needs INTARSIA_DATA")
    return Path(os.environ["INTARSIA_DATA"])
