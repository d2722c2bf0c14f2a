"""Every family in the catalog through the one shared list."""

import checks
import pytest
import small

from features.attribute_names import safe
from models import catalog


def test_every_family_says_how_it_learns_in_seconds():
    """`tests/toyland/small.yaml`: what the contract, the pipelines and the loop train by in tests."""
    assert set(small.SECTIONS) == set(catalog.NAMES)
    for family in catalog.NAMES:
        catalog.family(family).params.read(small.section(family))


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("family", catalog.NAMES)
def test_contract(family, check, fitted, tmp_path):
    check(fitted(family, small.section(family)), tmp_path)


@pytest.mark.parametrize("family", catalog.NAMES)
def test_no_attribute_of_customers_takes_the_name_of_an_answer(family, fitted):
    """It would end training: the answers stand beside the features in a bundle's reference."""
    case = fitted(family, small.section(family))
    if case.family.entity == "customer_id":
        assert [name for name in case.model.predict(case.rows.head(1)) if safe(name, ()) == name] == []
