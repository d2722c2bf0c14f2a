"""A seventh family takes one folder, one catalog name, one section of the parameters and one FeatureService."""

import checks
import pytest
import toyland

from models import catalog


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
def test_contract(check, toy, fitted, tmp_path):
    check(fitted(toy, toyland.SECTION), tmp_path)


def test_a_family_that_is_not_there_is_named(toy):
    with pytest.raises(KeyError, match="no family 'toys'; there are: churn, ltv, bidding, toy"):
        catalog.family("toys")
