"""The `decisions` section of `params.yaml`: the thresholds and limits of the decision engine."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """Strict and frozen: a misspelt, missing or mistyped key is an error naming it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Bids(Section):
    """Bounds of every single bid, in the account's currency.

    Attributes:
        least: a bid below it is not worth placing.
        most: no bid is above it, whoever asks for it.
        ratio: a bid is at most so many times the baseline's, and at least one so-many-th of it.
        fallback: share of the baseline's bid that is bid where a model, the store or the clock failed.
    """

    least: PositiveFloat
    most: PositiveFloat
    ratio: float = Field(gt=1)
    fallback: Share

    @model_validator(mode="after")
    def _room(self) -> "Bids":
        if self.least >= self.most:
            raise ValueError(f"decisions.bids: least ({self.least}) is not below most ({self.most})")
        return self


class ChangeLimits(Section):
    """How much may be changed of a campaign, and how often.

    Attributes:
        step: largest change of a bid at once, |ln(after / before)|.
        day: largest sum of them in a day.
        span: the multiplier of a campaign's bids never leaves 1 / span to span.
        move_step: largest share of the daily budget moved at once, and `move_day` in a day.
        cooldown_s: seconds after a change in which the campaign is left to show what it did.
    """

    step: PositiveFloat
    day: PositiveFloat
    span: float = Field(gt=1)
    move_step: Share
    move_day: Share
    cooldown_s: NonNegativeFloat


class Exploration(Section):
    """What is done to learn.

    Attributes:
        holdout: share of opportunities where the baseline bids, so that the policy can be measured against it.
        share: of the others, those where the policy's bid is varied; it falls as evidence comes in.
        spread: a varied bid is the policy's times or divided by 1 + spread.
        conversions: that halve the share.
    """

    holdout: Share
    share: Share
    spread: Share
    conversions: PositiveInt


class BaselineFloor(Section):
    """When the baseline takes over from the policy.

    Attributes:
        chance: probability that it ever does so although the policy is as good.
        conversions: that both together must have brought before anything is said.
    """

    chance: Share
    conversions: PositiveInt


class Clock(Section):
    """Seconds an opportunity's clock may be behind the last one seen of its campaign, and ahead of the store's."""

    back_s: PositiveFloat
    ahead_s: PositiveFloat


class Triggers(Section):
    """What calls for a change of a campaign, each beyond what chance explains.

    Attributes:
        chance: probability that a look at a campaign where nothing changed finds anything.
        ctr_ratio, conversion_ratio, win_ratio, platform_ratio: clicks per impression, conversions per click, auctions
            won per bid, and clicks per impression of the rest of the account, as shares of their history.
        cpc_ratio: the cost of a click as a multiple of its target.
        budget_used: share of the day's budget that is gone.
        delivery_ratio: what was spent as a share of the part of the budget whose time went by.
        pattern_shift: share of clicks that come at other hours, or of other audiences, than they did.
        keyword_ratio: conversions per click of a keyword as a share of the other keywords', recently and before.
        candidate_ratio: expected value of a new keyword's impression as a multiple of what impressions cost.
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
    """When a customer is offered something to stay, and how much.

    Attributes:
        high, medium: bands of the churn probability.
        engagement_ratio: purchases of late as a share of those before: fewer are a decline, treated as medium risk.
        share_high, share_medium: share of the value at risk (lifetime value x churn probability) that is offered.
        most: no offer is above it, in the account's currency; one below `least` is not made.
        cooldown_s: seconds between two offers to one customer.
        valid_s: seconds an offer stands: its money is set aside until it is redeemed, declined or over.
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


class Keeping(Section):
    """How state is kept.

    Attributes:
        recent_s: the recent past is at least this long and at most twice; all before is the past.
        settles_s: seconds after which a bid is settled whose cost nobody told: one that was won is charged what was
            reserved for it, until its cost is told; of one that nothing was told of the money is released. Its cost, if
            it comes later, is charged all the same, and flagged. No shorter than the latest notice of a win or a loss.
        remembered_s: seconds a decision, what it cost and the ids of its events are kept, to know them again.
        allowance: share of a campaign's daily budget that a worker sets aside, to bid from while the store is away,
            and `allowance_s` the longest time it can be away with bids still being placed.
    """

    recent_s: PositiveInt
    settles_s: PositiveInt
    remembered_s: PositiveInt
    allowance: Share
    allowance_s: PositiveInt


class DecisionParams(Section):
    """All of it."""

    bids: Bids
    changes: ChangeLimits
    exploration: Exploration
    floor: BaselineFloor
    clock: Clock
    triggers: Triggers
    retention: Retention
    keeping: Keeping


def read(file: Path) -> tuple[DecisionParams, int]:
    """The section `decisions` of a `params.yaml`, and its seed. Raises `ValueError`."""
    import yaml

    try:
        written = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise ValueError(f"{file} is no YAML: {broken}") from broken
    if not isinstance(written, dict) or not {"decisions", "seed"} <= written.keys():
        raise ValueError(f"{file}: expected the sections 'decisions' and 'seed'")
    return DecisionParams.model_validate_json(json.dumps(written["decisions"])), int(written["seed"])
