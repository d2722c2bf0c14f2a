"""The same bid for every impression."""

from collections.abc import Sequence
from typing import Self

from models.bidding.auctions import Episodes, Floats
from models.bidding.market import Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import BudgetCurve, Document
from models.bidding.policies.tuning import tuned


class Constant(Document):
    """Bid one amount, tuned by campaign and budget."""

    amount: BudgetCurve

    @classmethod
    def fit(
        cls, episodes: Episodes, markets: Markets, ratios: Sequence[float], before: BudgetCurve | None = None
    ) -> Self:
        """Tune on logged episodes, around the amount of `before`."""
        units = {name: markets[name].price for name in episodes.campaigns}
        return cls(amount=tuned(lambda curve: cls(amount=curve), units, episodes, markets, ratios, before))

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return self.amount.at(seen)
