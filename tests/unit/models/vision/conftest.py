"""Pictures in a home, whose files may be read."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import drawn


@pytest.fixture(scope="session")
def pictures_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def images(pictures_home: Path) -> pd.DataFrame:
    return drawn.table(pictures_home / "pictures")


@pytest.fixture(autouse=True)
def readable(pictures_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_HOME", str(pictures_home))
