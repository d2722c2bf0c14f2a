"""A seventh family takes one folder, one catalog name, one section of the parameters and one FeatureService."""

from pathlib import Path

import checks
import pytest

import models
from features import views
from models import catalog

SECTION = {
    "seed": 3,
    "window": {"horizon_days": 28, "step_days": 56, "min_history_days": 84},
    "penalty": 10.0,
    "steps": 12,
}


@pytest.fixture(autouse=True)
def added(monkeypatch):
    """The four places a new family touches: the folder, the name and the service here, the section above."""
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(Path(__file__).parent / "added")])
    monkeypatch.setattr(catalog, "NAMES", (*catalog.NAMES, "toy"))
    monkeypatch.setitem(views.SERVICES, "toy_v1", ("rfm", "attributes"))


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
def test_contract(check, fitted, tmp_path):
    check(fitted("toy", SECTION), tmp_path)


def test_a_family_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no family 'toys'; there are: churn, ltv, toy"):
        catalog.family("toys")
