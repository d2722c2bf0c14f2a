from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from components.params import load
from models import catalog

REAL = Path(__file__).parents[3] / "params.yaml"


@pytest.fixture
def changed(tmp_path):
    """`params.yaml` with something changed in it."""

    def write(change):
        written = yaml.safe_load(REAL.read_text())
        change(written)
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(written))
        return path

    return write


@pytest.mark.parametrize("family", catalog.NAMES)
def test_the_parameters_are_read_by_every_family(family):
    params = load(REAL)
    assert params.family(family).seed == params.seed
    window = params.section(family).get("window")
    assert window is None or params.family(family).window.horizon_days == window["horizon_days"]
    passed_on = params.arguments(family)
    assert set(passed_on) == {"params", "sensitive", "plan", "monitoring"}
    assert catalog.family(family).params.read(passed_on["params"]) == params.family(family)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda p: p.update(sead=1), "sead"),
        (lambda p: p.pop("seed"), "seed"),
        (lambda p: p.update(seed="1"), "seed"),
        (lambda p: p["fairness"].update(sensitiv=["age"]), "fairness.sensitiv"),
        (lambda p: p["release"].update(min_request=1), "release.min_request"),
        (lambda p: p["monitoring"].update(treshold=1), "monitoring.treshold"),
    ],
)
def test_a_key_that_is_wrong_is_named(changed, change, named):
    with pytest.raises(ValidationError, match=named.replace(".", r"\.")):
        load(changed(change))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda p: p["churn"].update(depht=3), "depht"),
        (lambda p: p["churn"]["window"].update(horizon_days=0), r"window\.horizon_days"),
        (lambda p: p["churn"]["window"].update(horizon_days="28"), r"window\.horizon_days"),
    ],
)
def test_a_key_of_a_family_that_is_wrong_is_named_when_the_family_is_asked(changed, change, named):
    with pytest.raises(ValidationError, match=named):
        load(changed(change)).family("churn")


def test_a_family_without_a_section_is_named(changed):
    with pytest.raises(KeyError, match="no section 'ltv'"):
        load(changed(lambda p: p.pop("ltv"))).section("ltv")
