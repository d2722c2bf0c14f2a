"""The `decisions` section of `params.yaml`: the thresholds and limits of the decision engine."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """Strict and frozen: errors name the misspelt, missing or mistyped key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Bids(Section):
    """Bounds of every bid, in the account's currency.

    Attributes:
        least: bids below it are withheld.
        most: largest bid, also for overrides.
        ratio: a bid is at most this multiple of the baseline's, and at least the baseline's divided by it.
        fallback: share of the baseline's bid to bid after a failure of a model, the store or the clock.
    """

    least: PositiveFloat
    most: PositiveFloat
    ratio: float = Field(gt=1)
    fallback: Share

    @model_validator(mode="after")
    def _room(self) -> "Bids":
        if self.least >= self.most:
            raise ValueError(f"decisions.bids: least ({self.least}) must be below most ({self.most})")
        return self


class ChangeLimits(Section):
    """Limits of changes to a campaign.

    Attributes:
        step: largest change of a bid at once, |ln(after / before)|.
        day: largest sum of these changes in a day.
        span: the bid multiplier stays within 1 / span to span.
        move_step: largest share of the daily budget moved at once, and `move_day` in a day.
        cooldown_s: seconds after a change without another, so that its effect shows.
    """

    step: PositiveFloat
    day: PositiveFloat
    span: float = Field(gt=1)
    move_step: Share
    move_day: Share
    cooldown_s: NonNegativeFloat


class Exploration(Section):
    """Randomized decisions.

    Attributes:
        holdout: share of opportunities for which the baseline bids, as a control group.
        share: share of the others whose bid is varied; falls with the conversions.
        spread: a varied bid is the policy's times, or divided by, 1 + spread.
        conversions: number of conversions that halves the share.
    """

    holdout: Share
    share: Share
    spread: Share
    conversions: PositiveInt


class BaselineFloor(Section):
    """When the baseline replaces the policy.

    Attributes:
        chance: probability of ever doing so although the policy is equally good.
        conversions: minimum conversions of both arms together.
    """

    chance: Share
    conversions: PositiveInt


class Clock(Section):
    """Seconds that an opportunity's clock may be behind the campaign's last one, and ahead of the store's."""

    back_s: PositiveFloat
    ahead_s: PositiveFloat


class Triggers(Section):
    """Thresholds of campaign reviews; each must be exceeded significantly.

    Attributes:
        chance: probability that a review of an unchanged campaign finds anything.
        ctr_ratio, conversion_ratio, win_ratio, platform_ratio: clicks per impression, conversions per click, auctions
            won per bid, and clicks per impression of the rest of the account, as shares of their history.
        cpc_ratio: cost per click as a multiple of its target.
        budget_used: spent share of the daily budget.
        delivery_ratio: spend as a share of the elapsed part of the budget.
        pattern_shift: share of clicks that moved to other hours or audiences.
        keyword_ratio: a keyword's conversions per click as a share of the other keywords', recently and before.
        candidate_ratio: expected value of a new keyword's impression as a multiple of its cost.
    """

    chance: Share
    ctr_ratio: Share
    conversion_ratio: Share
    win_ratio: Share
    platform_ratio: Share
    cpc_ratio: float = Field(gt=1)
    budget_used: Share
    delivery_ratio: Share
    pattern_shift: Share
    keyword_ratio: Share
    candidate_ratio: float = Field(gt=1)


class Retention(Section):
    """When a customer gets a retention offer, and how much.

    Attributes:
        high, medium: bands of the churn probability.
        engagement_ratio: recent purchases as a share of earlier ones; below it, the customer has medium risk.
        share_high, share_medium: offered share of the value at risk (lifetime value x churn probability).
        most: largest offer in the account's currency; an offer below `least` is not made.
        cooldown_s: seconds between two offers to one customer.
        valid_s: seconds an offer is valid; its money is held until it is redeemed, declined or expired.
    """

    high: Share
    medium: Share
    engagement_ratio: Share
    share_high: Share
    share_medium: Share
    least: PositiveFloat
    most: PositiveFloat
    cooldown_s: NonNegativeFloat
    valid_s: PositiveInt

    @model_validator(mode="after")
    def _rises(self) -> "Retention":
        if self.medium >= self.high or self.least > self.most:
            raise ValueError("decisions.retention: medium must be below high, and least not above most")
        return self


class Creatives(Section):
    """How creatives are chosen.

    Attributes:
        goal: what counts: clicks an impression, or conversions an impression.
        floor: each candidate gets at least this multiple of an equal share.
        prior: most impressions that a prediction counts for, however well the model has proved calibrated.
        cap: how often one customer is shown a creative a day.
        fatigue_days: a creative rests where its decline is as rare by chance as once in that many days, and its click
            rate fell by at least the share `fatigue_drop`.
    """

    goal: Literal["clicks", "conversions"]
    floor: Share
    prior: PositiveFloat
    cap: PositiveInt
    fatigue_days: PositiveFloat
    fatigue_drop: Share


class Keeping(Section):
    """How long state is kept.

    Attributes:
        recent_s: length of the recent period: at least this, at most twice. The rest is the past.
        settles_s: seconds after which a bid without a reported cost is settled: a won bid is charged its reservation
            until its cost is reported; otherwise the money is released. A later cost is charged and flagged. At least
            as long as the latest notice of a win or loss.
        rewards_s: seconds after a choice by which its conversions have come; a younger choice is no evidence of them.
        remembered_s: seconds that a decision, its cost and event ids are kept to recognize repetitions.
        allowance: share of a campaign's daily budget that a worker holds, to bid from while the store is unavailable,
            and `allowance_s` the longest outage during which it still bids.
    """

    recent_s: PositiveInt
    settles_s: PositiveInt
    rewards_s: PositiveInt
    remembered_s: PositiveInt
    allowance: Share
    allowance_s: PositiveInt


class DecisionParams(Section):
    """The section `decisions`."""

    bids: Bids
    changes: ChangeLimits
    exploration: Exploration
    floor: BaselineFloor
    clock: Clock
    triggers: Triggers
    retention: Retention
    creatives: Creatives
    keeping: Keeping


def read(file: Path) -> tuple[DecisionParams, int]:
    """Read the section `decisions` and the seed from a `params.yaml`. Raises `ValueError`."""
    import yaml

    from features.yaml_file import from_yaml

    try:
        written = from_yaml(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise ValueError(f"{file} is not YAML: {broken}") from broken
    if not isinstance(written, dict) or not {"decisions", "seed"} <= written.keys():
        raise ValueError(f"{file}: expected the sections 'decisions' and 'seed'")
    return DecisionParams.model_validate_json(json.dumps(written["decisions"])), int(written["seed"])
