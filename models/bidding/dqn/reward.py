"""What the network is rewarded for: the value that a budget buys, and what else an advertiser asks of it."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.bidding.auctions import Floats

Weight = Annotated[float, Field(ge=0, le=1)]


class Reward(BaseModel):
    """Weights beside that of the value won, which is 1. All are 0 where nothing but value for the budget is asked.

    With a budget that is given, the value won is the value per spend: money that is left buys nothing, and what is
    spent on one auction is gone for the others. Every weight above 0 gives up some of that for what it asks.

    Attributes:
        quality: of each impression won, by how much it is worth more than the campaign's mean; below it, a penalty.
        volume: of each impression won, whatever it is worth; as if it were worth this share of the mean more.
        overspend: penalty for spending ahead of an even pace; no budget is ever overspent as a whole.
        under_delivery: penalty for what is left of the budget at the end.

    Penalties are in terms of what the plans expect of the whole budget: to be ahead by a tenth of the budget all the
    time, or to leave a tenth of it, costs a tenth of that at a weight of 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    quality: Weight = 0.0
    volume: Weight = 0.0
    overspend: Weight = 0.0
    under_delivery: Weight = 0.0

    def of_win(self, worth: Floats) -> Floats:
        """For winning impressions of such worth, in units of the campaign's mean."""
        return worth + self.quality * (worth - 1) + self.volume

    def penalty(self, left: Floats, before: float, to_go: float) -> Floats:
        """For a stretch of auctions, as a share of what the whole budget should buy.

        `left` is the share of the budget after it; `before` and `to_go` the shares of the auctions that were to come
        before and after it.
        """
        ahead = np.maximum(to_go - left, 0) * (before - to_go)
        return np.asarray(self.overspend * ahead + (self.under_delivery * left if to_go == 0 else 0.0))
