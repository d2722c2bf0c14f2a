"""A small business, once; and its frame for a family, once for each."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import business
from checks import Case, fit_once

from components.featurize.step import featurize
from features.settings import Settings
from models import catalog


@pytest.fixture(scope="session")
def tables(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    return made_once(
        "business", lambda folder: business.write(folder, customers=250, creatives=48, texts=120, images=40)
    )


@pytest.fixture(scope="session")
def fitted(
    tables: Path, made_once: Callable[[str, Callable[[Path], object]], Path]
) -> Callable[[str, dict[str, Any]], Case]:
    """A family by name and its section of the parameters: featurized for real and fitted once a run, kept for all its
    checks."""
    kept: dict[str, Case] = {}

    def fit(name: str, section: dict[str, Any], folder: Path) -> None:
        featurize(tables, name, section, None, Settings(home=folder / "home"), folder / "features", online=False)
        fit_once(catalog.family(name), section, folder)

    def case(name: str, section: dict[str, Any]) -> Case:
        if name not in kept:
            folder = made_once(f"contract_{name}", partial(fit, name, section))
            kept[name] = Case.opened(catalog.family(name), section, folder)
        return kept[name]

    return case
