"""Outcomes count once: a customer asked about often, or an auction sent again."""

from dataclasses import replace

import pandas as pd
import pytest
import toyland

from models import catalog
from serving.rollout.step import _outcomes


@pytest.mark.parametrize(("context", "expected"), [((), [0.2]), (("price",), [0.2, 0.3])])
def test_what_was_asked_again_counts_once(
    monkeypatch: pytest.MonkeyPatch, context: tuple[str, ...], expected: list[float]
) -> None:
    """Of a family whose requests bring context, one entity is asked about in many situations, each with an outcome."""
    toyland.add(monkeypatch)
    family = replace(catalog.family("toy"), context=context)
    known = pd.DataFrame(
        {"entity_id": "ann", "churned": [0, 0, 1], "answer.probability": [0.1, 0.2, 0.3]}, index=[4, 5, 6]
    )
    if not context:
        known = known.head(2)
    found = _outcomes(known, family)
    assert found.answers["probability"].tolist() == expected and len(found.truth) == len(expected)
