"""Every family in the catalog through the one shared list."""

import checks
import pytest

from models import catalog


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("family", catalog.NAMES)
def test_contract(family, check, fitted, section, tmp_path):
    check(fitted(family, section(family)), tmp_path)
