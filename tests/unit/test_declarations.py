"""Names: a family's stands where it is declared and in its own folder, and declarations agree; a class has its own, and
a file that is listed is there."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from components.params import load
from features.views import SERVICES
from models import catalog
from tests.workers import WAITING

ROOT = Path(__file__).parents[2]
#: Where code declares what is of one family: its name, its features, what its steps run on, what decisions need, the
#: simulated auctions that a bidder plays, and who classifies and ranks texts.
DECLARED = (
    "models/catalog.py",
    "features/views.py",
    "pipelines/compute.py",
    "serving/decisions/kinds/",
    "serving/experiments/simulation/",
    "serving/content/ranking.py",
    "serving/images/rating.py",
    "serving/texts/classifier.py",
)
#: Where `creative` is the entity that features are of, the dimension that bids are counted by, or a platform's word.
ENTITY_OR_DIMENSION = (
    "features/transforms/__init__.py",
    "serving/decisions/api/schemas.py",
    "serving/decisions/attribution.py",
    "serving/decisions/rules/segments.py",
    "serving/decisions/state/wire.py",
    "pipelines/rotation.py",
    "serving/campaigns/",
    "serving/integrations/",
)


def test_dvc_runs_every_family() -> None:
    (declared,) = yaml.safe_load((ROOT / "dvc.yaml").read_text())["vars"]
    assert declared == {"families": list(catalog.NAMES)}


def test_every_family_is_held_independent_of_the_others() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (modules,) = [one["modules"] for one in told if one["name"] == "Families are independent"]
    assert sorted(modules) == sorted(f"models.{name}" for name in catalog.NAMES)


def test_every_family_has_its_parameters_and_every_section_its_family() -> None:
    assert set(load(ROOT / "params.yaml").families) == set(catalog.NAMES)


def test_every_feature_service_is_a_familys() -> None:
    assert {catalog.family(name).feature_service for name in catalog.NAMES} - {None} == set(SERVICES)


def test_files_of_tests_that_wait_are_there() -> None:
    assert [file for file in WAITING if not (ROOT / file).is_file()] == []


@dataclass
class Source:
    """The families that a file names as text, or imports from, and the classes that it defines."""

    path: str
    families: list[str]
    classes: list[str]


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    found = []
    for floor in ("pipelines", "components", "serving", "models", "features"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text())))
            families = [name for node in nodes for name in _families(node)]
            classes = [node.name for node in nodes if isinstance(node, ast.ClassDef)]
            found.append(Source(str(path.relative_to(ROOT)), families, classes))
    return found


def _families(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and node.value in catalog.NAMES:
        yield str(node.value)
    elif isinstance(node, ast.ImportFrom):
        yield from (name for name in catalog.NAMES if f"{node.module}.".startswith(f"models.{name}."))


def test_no_code_names_a_family_but_declarations(sources: list[Source]) -> None:
    names = [
        f"{source.path}: {name}"
        for source in sources
        if not source.path.startswith((*DECLARED, *(f"models/{name}/" for name in catalog.NAMES)))
        for name in source.families
        if name != "creative" or not source.path.startswith(ENTITY_OR_DIMENSION)
    ]
    assert names == []


def test_no_two_classes_share_a_name(sources: list[Source]) -> None:
    places: dict[str, list[str]] = {}
    for source in sources:
        for name in source.classes:
            places.setdefault(name, []).append(source.path)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
