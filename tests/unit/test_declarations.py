"""Names: a family's stands where it is declared and in its own folder, and declarations agree; a class has its own."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import yaml

from components.params import load
from features.views import SERVICES
from models import catalog

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


def test_no_code_names_a_family_but_declarations() -> None:
    names = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in _sources()
        if not str(path.relative_to(ROOT)).startswith((*DECLARED, *(f"models/{name}/" for name in catalog.NAMES)))
        for name in _named(path)
        if name != "creative" or not str(path.relative_to(ROOT)).startswith(ENTITY_OR_DIMENSION)
    ]
    assert names == []


def _named(path: Path) -> Iterator[str]:
    """The families that a file names as text, or imports from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and node.value in catalog.NAMES:
            yield str(node.value)
        elif isinstance(node, ast.ImportFrom):
            yield from (name for name in catalog.NAMES if f"{node.module}.".startswith(f"models.{name}."))


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def _sources() -> Iterator[Path]:
    for floor in ("pipelines", "components", "serving", "models", "features"):
        yield from sorted((ROOT / floor).rglob("*.py"))
