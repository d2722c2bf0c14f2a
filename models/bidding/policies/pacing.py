"""Pacing by the market: bid so that what is left of the budget would be spent evenly over the auctions to come."""

from collections.abc import Mapping
from typing import Self

from models.bidding import market
from models.bidding.auctions import Floats
from models.bidding.market import Market, Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import Document


class Pacing(Document):
    """Bid the calibrated value times the multiplier at which spending should equal the pace, found anew each auction.

    The rule that is optimal as episodes grow long: Gallego and van Ryzin (1994) for its re-solving, Balseiro and Gur,
    "Learning in Repeated Auctions with Budgets" (2019) for its pacing of second-price bids.
    """

    markets: Mapping[str, Market]

    @classmethod
    def fit(cls, markets: Markets) -> Self:
        """There is nothing to tune."""
        return cls(markets=markets)

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return market.paced(self.markets, seen)
