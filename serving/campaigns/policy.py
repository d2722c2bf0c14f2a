"""The section `campaigns` of `params.yaml`: who approves what, and what bounds every automatic change."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from features import yaml_file
from serving.campaigns.values import PlanSection, Slug


class ApprovalRule(PlanSection):
    """From this daily budget on, so many people approve, one of each of these roles among them."""

    from_daily: NonNegativeFloat
    people: Annotated[int, Field(ge=1, le=10)] = 1
    roles: tuple[Slug, ...] = ()


class RateBounds(PlanSection):
    """Bounds of automatic changes of one object.

    Attributes:
        an_hour, a_day: most changes.
        step, day: largest change of a bid or budget at once and in a day, as a share of it.
        quality: keywords with a lower quality score get no higher bids.
    """

    an_hour: PositiveInt
    a_day: PositiveInt
    step: Annotated[float, Field(gt=0, le=1)]
    day: PositiveFloat
    quality: Annotated[float, Field(ge=0, le=10)]


class CampaignPolicy(PlanSection):
    """What holds for all campaigns.

    Attributes:
        approvals: rules by daily budget; the highest one that a campaign reaches holds.
        approval_h: hours after which an approval expires.
        roles: names of keys (`adloop key --name`) by role.
        audience: the least members of an audience.
        attempts: most optimizations of a campaign until a person looks.
    """

    approvals: Annotated[tuple[ApprovalRule, ...], Field(min_length=1)]
    approval_h: PositiveFloat
    roles: dict[Slug, tuple[str, ...]]
    bounds: RateBounds
    audience: PositiveInt
    attempts: PositiveInt

    def rule(self, daily: float) -> ApprovalRule | None:
        """The rule for a daily budget; None below all of them."""
        reached = [one for one in self.approvals if daily >= one.from_daily]
        return max(reached, key=lambda one: one.from_daily, default=None)

    def roles_of(self, person: str) -> set[str]:
        return {role for role, people in self.roles.items() if person in people}


def read_policy(file: Path) -> CampaignPolicy:
    """Read the section. Raises `ValueError`."""
    written = yaml_file.from_yaml(file.read_text())
    if not isinstance(written, dict) or "campaigns" not in written:
        raise ValueError(f"{file}: expected the section 'campaigns'")
    return CampaignPolicy.model_validate_json(json.dumps(written["campaigns"]))
