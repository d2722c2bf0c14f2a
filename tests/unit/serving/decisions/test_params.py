"""The limits of the engine contradict neither each other nor themselves."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from serving.decisions.params import DecisionParams

WRITTEN = Path(__file__).parents[4] / "params.yaml"


def changed(section: str, **told: object) -> dict:
    written = yaml.safe_load(WRITTEN.read_text())["decisions"]
    return {**written, section: {**written[section], **told}}


@pytest.mark.parametrize(
    ("section", "told", "why"),
    [
        ("bids", {"least": 400.0}, "least .400.0. must be below most"),
        ("bids", {"ratio": 1.0}, "greater than 1"),
        ("bids", {"fallback": 1.5}, "less than 1"),
        ("changes", {"step": float("inf")}, "finite number"),
        ("changes", {"stpe": 0.1}, "Extra inputs are not permitted"),
        ("exploration", {"holdout": 0.0}, "greater than 0"),
        ("retention", {"medium": 0.8}, "medium must be below high"),
        ("triggers", {"chance": "often"}, "valid number"),
    ],
)
def test_a_limit_that_is_none_is_refused(section: str, told: dict, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        DecisionParams.model_validate(changed(section, **told))
