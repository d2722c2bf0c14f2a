"""A toy family for every test that needs a family and not a slow one; and how many tests run at once."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "toyland"))

import toyland

from features.privacy import stay_private
from features.settings import Settings
from models.registry import Registry


def pytest_configure() -> None:
    """No telemetry, as in every program; and Feast as it is imported there, before a test does so itself, which takes
    three times as long."""
    stay_private()
    from features import lean_feast  # noqa: F401


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: at any time some test waits for a server, a clock or a lock."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def registry_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose registry is empty. To be copied: MLflow takes over a second to lay out a database."""
    settings = Settings(home=tmp_path_factory.mktemp("registry") / "home")
    Registry(settings).versions("toy")
    return settings.home


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the toy family, in the catalog for the time of a test."""
    toyland.add(monkeypatch)
    return "toy"
