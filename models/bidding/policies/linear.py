"""Linear bidding: proportional to the predicted value."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from models.bidding.auctions import Episodes, Floats
from models.bidding.market import Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import BudgetCurve, Document
from models.bidding.policies.tuning import tuned


class Linear(Document):
    """Bid the predicted value times a factor that is tuned by campaign and budget.

    Perlich et al., "Bid Optimizing and Inventory Scoring in Targeted Online Advertising" (2012).
    """

    factor: BudgetCurve

    @classmethod
    def fit(
        cls, episodes: Episodes, markets: Markets, ratios: Sequence[float], before: BudgetCurve | None = None
    ) -> Self:
        """Tune on logged episodes, around the factor of `before`."""
        factor = tuned(lambda curve: cls(factor=curve), units(episodes, markets), episodes, markets, ratios, before)
        return cls(factor=factor)

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return np.asarray(self.factor.at(seen) * seen.expected_value)


def units(episodes: Episodes, markets: Markets) -> dict[str, float]:
    """By campaign, the factor that bids the mean price for the mean predicted value."""
    return {name: markets[name].price / episodes.of(name).expected_value.mean() for name in episodes.campaigns}
