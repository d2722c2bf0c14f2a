"""A small business, once; and its frame for a family, once for each."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import business
from checks import Case

from components.featurize.step import featurize
from components.frame import Frame
from features.settings import Settings
from models import catalog


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return business.write(
        tmp_path_factory.mktemp("business") / "tables", customers=250, creatives=48, texts=300, images=60
    )


@pytest.fixture(scope="session")
def fitted(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, Any]], Case]:
    """A family by name and its section of the parameters: featurized for real and fitted, kept for all its checks."""
    kept: dict[str, Case] = {}
    home = tmp_path_factory.mktemp("home")

    def fit(name: str, section: dict[str, Any]) -> Case:
        if name not in kept:
            out = tmp_path_factory.mktemp(name)
            featurize(tables, name, section, None, Settings(home=home), out / "features", online=False)
            kept[name] = Case.fitted(catalog.family(name), section, Frame(out / "features"), out / "checkpoint")
        return kept[name]

    return fit
