"""A toy family for every test that needs a family and not a slow one; and how many tests run at once."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "toyland"))

import toyland

from features import lean_feast  # noqa: F401 - before a test imports Feast itself, which takes three times as long


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: at any time some test waits for a server, a clock or a lock."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the toy family, in the catalog for the time of a test."""
    toyland.add(monkeypatch)
    return "toy"
