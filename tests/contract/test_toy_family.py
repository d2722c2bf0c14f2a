"""A new family takes one folder, one catalog name, one section of the parameters and a FeatureService or none.

`toy` is of customers, as most are; the others are not: a bandit over candidates, a text generator, an image scorer.
"""

import checks
import pytest
import toyland

from models import catalog


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
def test_contract(check, toy, fitted, tmp_path):
    check(fitted(toy, toyland.SECTION), tmp_path)


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", toyland.OTHERS)
def test_contract_of_what_is_of_no_customer(name, check, fitted, tmp_path, monkeypatch):
    toyland.add(monkeypatch, *toyland.OTHERS)
    check(fitted(name, toyland.OTHERS[name]), tmp_path)


def test_a_family_that_is_not_there_is_named(toy):
    with pytest.raises(KeyError, match="no family 'toys'; there are: churn, ltv, bidding, creative, nlp, vision, toy"):
        catalog.family("toys")
