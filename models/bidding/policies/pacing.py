"""Pacing by the market: bid so that what is left of the budget would be spent evenly over the auctions to come."""

from collections.abc import Mapping
from typing import Self

import numpy as np

from models.bidding import market
from models.bidding.auctions import Floats
from models.bidding.market import Market, Markets
from models.bidding.observation import Observation
from models.bidding.policies.dial import Document


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
        return reference(self.markets, seen) * market.worth(self.markets, seen) * market.prices(self.markets, seen)


def reference(markets: Markets, seen: Observation) -> Floats:
    """The multiplier of values, in units of the mean price for the mean value, that spends the pace."""
    curves = {name: known.multipliers for name, known in markets.items()}
    return np.asarray(market.at_pace(curves, seen, seen.pace / market.prices(markets, seen)))
