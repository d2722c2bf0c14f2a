"""The network's reward: the value won, and optional terms for quality, volume and pacing."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.bidding.auctions import Floats

Weight = Annotated[float, Field(ge=0, le=1)]


class Reward(BaseModel):
    """Weights of optional terms; the weight of the value won is 1.

    With a fixed budget, maximizing the value won maximizes the value per spend. Every weight above 0 trades some of it
    for its term.

    Attributes:
        quality: reward per impression won for its value above the campaign's mean; a penalty below.
        volume: reward per impression won, as a share of the mean value.
        overspend: penalty for spending ahead of an even pace; the total budget is never overspent.
        under_delivery: penalty for the unspent budget at the end.

    Penalties are relative to the planned value of the whole budget: at a weight of 1, being ahead by a tenth of the
    budget all the time, or leaving a tenth of it, costs a tenth of that value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    quality: Weight = 0.0
    volume: Weight = 0.0
    overspend: Weight = 0.0
    under_delivery: Weight = 0.0

    def of_win(self, worth: Floats) -> Floats:
        """Reward for winning impressions of this worth, in units of the campaign's mean."""
        return worth + self.quality * (worth - 1) + self.volume

    def penalty(self, left: Floats, before: float, to_go: float) -> Floats:
        """Penalty of a stretch of auctions, as a share of the planned value of the whole budget.

        `left` is the share of the budget after it; `before` and `to_go` are the shares of auctions remaining before and
        after it.
        """
        ahead = np.maximum(to_go - left, 0) * (before - to_go)
        return np.asarray(self.overspend * ahead + (self.under_delivery * left if to_go == 0 else 0.0))
