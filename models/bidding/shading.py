"""Bid shading: where a winner pays what it bid, to bid below what an impression is worth.

A policy's bid says what winning is worth in money, at the price that it puts on its budget (its multiplier, factor or
pacing). In a second-price auction that is the best bid. In a first-price auction the best bid is the one that leaves
the most surplus, (worth - bid) x P(market price <= bid): Gligorijevic et al., "Bid Shading in the Brave New World of
First-Price Auctions" (2020), and Pan et al., "Bid Shading by Win-Rate Estimation and Surplus Maximization" (2020), who
learn shading or the chance to win from features; here the chance is the distribution of the campaign's logged market
prices. With the budget's shadow price in the worth it is best under a budget too: the Lagrangian is this surplus.
"""

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Outcome, Policy, replay
from models.bidding.market import Markets
from models.bidding.observation import Observation


class Shaded:
    """A policy whose bids are taken for what winning is worth, and shaded."""

    def __init__(self, policy: Policy, markets: Markets) -> None:
        self.policy, self.markets = policy, markets

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return market.shaded(self.markets, seen, self.policy.bid(seen))


def priced(policy: Policy, markets: Markets) -> Policy:
    """The policy as it bids in these markets: shaded where they are first-price, else as it is."""
    return Shaded(policy, markets) if market.pricing(markets) == "first" else policy


def play(episodes: Episodes, budget: Floats, policy: Policy, markets: Markets) -> Outcome:
    """Play whole episodes by a policy as it bids in these markets; shapes and errors as for `Replay`."""
    return replay(episodes, budget, priced(policy, markets), market.pricing(markets))
