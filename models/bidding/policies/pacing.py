"""Pacing: bid so that the remaining budget is spent evenly over the remaining auctions."""

from collections.abc import Mapping
from typing import Self

from models.bidding import market
from models.bidding.auctions import Floats
from models.bidding.market import Market, Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import Document


class Pacing(Document):
    """Bid the calibrated value times the multiplier at which expected spending equals the pace, updated each auction.

    Asymptotically optimal for long episodes: Gallego and van Ryzin (1994) on re-solving, Balseiro and Gur, "Learning in
    Repeated Auctions with Budgets" (2019) on pacing of second-price bids.
    """

    markets: Mapping[str, Market]

    @classmethod
    def fit(cls, markets: Markets) -> Self:
        """Uses the markets; nothing is tuned."""
        return cls(markets=markets)

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return market.paced(self.markets, seen)
