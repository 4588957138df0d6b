"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def intarsia_data() -> Path:
    """The folder of real data sets."""
    if not os.environ.get("INTARSIA_DATA"):
        pytest.skip("needs INTARSIA_DATA")
    return Path(os.environ["INTARSIA_DATA"])
