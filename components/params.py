"""Parses `params.yaml` into strict, frozen models; errors name the unknown, missing or mistyped key."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from features import yaml_file
from models import catalog
from models import family as contract
from serving.campaigns.policy import CampaignPolicy
from serving.decisions.params import DecisionParams
from serving.monitoring.params import Monitoring
from serving.rollout.plan import Plan


class Fairness(BaseModel):
    """The section `fairness`: sensitive columns."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sensitive: tuple[str, ...]


class Params(BaseModel):
    """All of `params.yaml`. A family's section is validated by the family on request."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: int
    source: Annotated[tuple[str, ...], Field(min_length=1)]
    fairness: Fairness
    release: Plan
    monitoring: Monitoring
    decisions: DecisionParams
    campaigns: CampaignPolicy | None = None
    families: dict[str, dict[str, Any]]

    def section(self, family: str) -> dict[str, Any]:
        """The family's section with the common seed."""
        if family not in self.families:
            raise KeyError(f"params.yaml has no section '{family}'")
        return {"seed": self.seed, **self.families[family]}

    def family(self, family: str) -> contract.FamilyParams:
        """The family's section as the family reads it. Raises `ValidationError` naming what is wrong in it."""
        return catalog.family(family).params.read(self.section(family))

    def arguments(self, family: str) -> dict[str, Any]:
        """The arguments of the family's pipeline that come from `params.yaml`, as plain values."""
        self.family(family)
        return {
            "params": self.section(family),
            "sensitive": list(self.fairness.sensitive),
            "plan": self.release.model_dump(mode="json"),
            "monitoring": self.monitoring.model_dump(mode="json"),
        }


def load(path: Path) -> Params:
    """Read `params.yaml`. Raises `ValidationError` naming the key that is unknown, missing or of the wrong type."""
    written = yaml_file.from_yaml(path.read_text())
    families = {name: written.pop(name) for name in catalog.NAMES if name in written}
    return Params.model_validate_json(json.dumps({**written, "families": families}))
