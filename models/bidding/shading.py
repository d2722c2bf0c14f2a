"""Bid shading in first-price auctions: bidding below the value of an impression.

A policy's bid is the value of winning in money, at the shadow price of its budget (its multiplier, factor or pacing).
In a second-price auction that is the optimal bid. In a first-price auction the optimal bid maximizes the surplus,
(worth - bid) x P(market price <= bid): Gligorijevic et al., "Bid Shading in the Brave New World of First-Price
Auctions" (2020), and Pan et al., "Bid Shading by Win-Rate Estimation and Surplus Maximization" (2020), who learn
shading or the win probability from features; here it is the distribution of the campaign's logged market prices. With
the budget's shadow price in the worth, this is also optimal under a budget: the Lagrangian is this surplus.
"""

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Policy, ReplayOutcome, replay
from models.bidding.market import Markets
from models.bidding.observation import Observation


class Shaded:
    """A policy whose bids are shaded."""

    def __init__(self, policy: Policy, markets: Markets) -> None:
        self.policy, self.markets = policy, markets

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return market.shaded(self.markets, seen, self.policy.bid(seen))


def priced(policy: Policy, markets: Markets) -> Policy:
    """The policy for these markets: shaded where they are first-price, else unchanged."""
    return Shaded(policy, markets) if market.pricing(markets) == "first" else policy


def play(episodes: Episodes, budget: Floats, policy: Policy, markets: Markets) -> ReplayOutcome:
    """Replay whole episodes with a policy, shaded where needed; shapes and errors as for `Replay`."""
    return replay(episodes, budget, priced(policy, markets), market.pricing(markets))
