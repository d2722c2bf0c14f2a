"""A PID controller that adjusts the linear bid to spend evenly."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.market import Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import BudgetCurve, Document
from models.bidding.policies.linear import Linear
from models.bidding.shading import play

#: Candidates of the proportional, integral and derivative gains.
GAINS = ((1.0, 0.0, 0.0), (3.0, 0.0, 0.0), (3.0, 1.0, 0.0), (3.0, 0.0, 0.1), (8.0, 2.0, 0.1))
#: Largest adjustment, as a natural logarithm of the bid's factor.
REACH = 1.5


class Pid(Document):
    """The linear bid times exp(control): Zhang et al., "Feedback Control of Real-Time Display Advertising" (2016).

    The error is the share of the budget by which spending is behind an even pace; `gains` weigh it, its mean over the
    episode so far, and the gap of recent spending to the pace.
    """

    factor: BudgetCurve
    gains: tuple[float, float, float]

    @classmethod
    def fit(cls, episodes: Episodes, markets: Markets, ratios: Sequence[float], linear: Linear) -> Self:
        """Tune the gains on logged episodes, one set for all; the factor is that of the tuned linear policy."""
        budget = market.budgets(markets, episodes, ratios)
        tried = [cls(factor=linear.factor, gains=gains) for gains in GAINS]
        return max(tried, key=lambda policy: play(episodes, budget, policy, markets).value.sum())

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        budget = np.maximum(seen.budget, np.finfo(float).tiny)
        behind = seen.left / budget - seen.remaining / seen.auctions
        slow = 1 - seen.recent_cost * seen.auctions / budget
        proportional, integral, derivative = self.gains
        control = proportional * behind + integral * seen.pacing_debt / seen.auctions + derivative * slow
        bid = self.factor.at(seen) * seen.expected_value
        return np.asarray(bid * np.exp(np.clip(control, -REACH, REACH)))
