"""ORTB: optimal real-time bidding with a concave win probability."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from models.bidding.auctions import Episodes, Floats
from models.bidding.market import Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import BudgetCurve, Document
from models.bidding.policies.linear import units
from models.bidding.policies.tuning import tuned

#: Candidates of the half-win bid, as multiples of the mean price.
HALVES = np.geomspace(0.1, 10, 200)


class Ortb(Document):
    """ORTB1 of Zhang et al., "Optimal Real-Time Bidding for Display Advertising" (2014), equation 12.

    The win probability at a bid b is modelled as b / (c + b); the optimal bid is sqrt(c x value / lambda + c^2) - c.

    Attributes:
        half: c by campaign, the bid that wins half of the auctions, fitted to the log.
        factor: 1 / lambda, money per unit of value, tuned by campaign and budget.
    """

    half: Mapping[str, float]
    factor: BudgetCurve

    @classmethod
    def fit(cls, episodes: Episodes, markets: Markets, ratios: Sequence[float], before: Self | None = None) -> Self:
        """Fit the win probability, then tune the factor on the same episodes, around that of `before`."""
        half = dict(before.half) if before is not None else {}
        half |= {name: _half(episodes.of(name).market_price) for name in episodes.campaigns}
        start, had = units(episodes, markets), before.factor if before is not None else None
        found = tuned(lambda curve: cls(half=half, factor=curve), start, episodes, markets, ratios, had)
        return cls(half=half, factor=found)

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        half = seen.look_up(self.half)
        return np.asarray(np.sqrt(half * self.factor.at(seen) * seen.expected_value + half**2) - half)


def _half(price: Floats) -> float:
    """The least-squares fit of c to the share of auctions won at each price."""
    bids = np.quantile(price, np.linspace(0.01, 0.99, 99))
    won = np.searchsorted(np.sort(price.ravel()), bids, side="right") / price.size
    halves = HALVES * price.mean()
    error = ((bids / (halves[:, None] + bids) - won) ** 2).sum(axis=1)
    return float(halves[error.argmin()])
