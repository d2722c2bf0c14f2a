"""Interventions and when they are tried: a file that people read and change."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator
from pydantic_core import PydanticCustomError

Share = Annotated[float, Field(gt=0, lt=1)]
Money = Annotated[float, Field(ge=0, le=1e9)]


class Intervention(BaseModel):
    """What may keep a customer.

    Attributes:
        cost: of one customer, kept or not.
        saves: share of those about to leave who are assumed to stay, until a randomised past tells.
        strategy: what the churn model calls it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    cost: Money
    saves: Annotated[float, Field(ge=0, le=1)]
    strategy: Literal[
        "personalized_outreach", "incentive_programs", "product_improvements", "communication_optimization"
    ]


class PreventionPolicy(BaseModel):
    """Triggers, holdout and interventions.

    Attributes:
        high, medium: churn probabilities of the risk bands.
        engagement: share of the earlier use below which engagement declines.
        holdout: share of those who would get an intervention that gets none.
        budget: most that a plan may cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    high: Share
    medium: Share
    engagement: Share
    holdout: Annotated[float, Field(ge=0.01, le=0.5)]
    horizon_days: PositiveInt
    budget: Money
    interventions: Annotated[dict[str, Intervention], Field(min_length=1)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.medium < self.high:
            raise PydanticCustomError("bands", "{said}", {"said": f"medium: expected below high, got {self.medium}"})
        return self


def read(file: Path | None) -> PreventionPolicy:
    """The policy in a file; without one, the one that comes with adloop. Raises `ValueError` naming file and field."""
    place = file or Path(str(files("serving.campaigns.customers") / "interventions.yaml"))
    try:
        return PreventionPolicy.model_validate(yaml.safe_load(place.read_text(encoding="utf-8")))
    except yaml.YAMLError as broken:
        raise ValueError(f"{place}: expected YAML, got something else: {broken}") from broken
    except ValidationError as wrong:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors())
        raise ValueError(f"{place}: {faults}") from None
