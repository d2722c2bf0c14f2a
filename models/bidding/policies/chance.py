"""Random bids, drawn by hashing the observation, so that the same observation gets the same bid."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from models.bidding.auctions import Episodes, Floats
from models.bidding.market import Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import BudgetCurve, Document
from models.bidding.policies.tuning import tuned

Bits = npt.NDArray[np.uint64]


class Random(Document):
    """Bid uniformly between 0 and a maximum that is tuned by campaign and budget."""

    ceiling: BudgetCurve
    seed: int

    @classmethod
    def fit(cls, episodes: Episodes, markets: Markets, ratios: Sequence[float], seed: int) -> Self:
        """Tune on logged episodes."""
        units = {name: 2 * markets[name].price for name in episodes.campaigns}
        ceiling = tuned(lambda curve: cls(ceiling=curve, seed=seed), units, episodes, markets, ratios)
        return cls(ceiling=ceiling, seed=seed)

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return self.ceiling.at(seen) * draw(seen, self.seed)


def draw(seen: Observation, seed: int) -> Floats:
    """A number in [0, 1) for each current auction, of (episodes,), from a hash of the observation and the seed.

    The hash is the finalizer of SplitMix64 (Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014).
    """
    state: Bits = np.full(len(seen), seed, dtype=np.uint64)
    for column in (seen.budget, seen.left, seen.remaining, seen.offered_value, seen.expected_value):
        state = _mixed(state + np.uint64(0x9E3779B97F4A7C15) + np.ascontiguousarray(column).view(np.uint64))
    return np.asarray((state >> np.uint64(11)).astype(float) * 2.0**-53)


def _mixed(state: Bits) -> Bits:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
