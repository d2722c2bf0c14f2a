"""A toy family for every test that needs a family and not a slow one."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "toyland"))

import toyland


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the toy family, in the catalog for the time of a test."""
    toyland.add(monkeypatch)
    return "toy"
