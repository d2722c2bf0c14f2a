"""RLB: bidding by dynamic programming, up to the value that the money would have later."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.market import Market, Markets
from models.bidding.observation import Observation
from models.bidding.planning import Plans, highest_bid
from models.bidding.policies.budget_curve import Document


class Values(Document):
    """Values of impressions: each campaign's market, and whether it calibrates predictions."""

    markets: Mapping[str, Market]
    means: Mapping[str, float]
    calibrated: bool

    def of(self, seen: Observation) -> Floats:
        """Value in units of the campaign's mean."""
        if self.calibrated:
            return market.worth(self.markets, seen)
        return np.asarray(seen.expected_value / seen.look_up(self.means))


class Rlb:
    """Cai et al., "Real-Time Bidding by Reinforcement Learning in Display Advertising" (2017): dynamic programming.

    As published it uses raw predictions and plans by their mean. With `calibrated`, it uses calibrated values, and
    plans by the joint distribution of values and prices.
    """

    def __init__(self, values: Values, plans: Plans) -> None:
        self.values, self.plans = values, plans

    @classmethod
    def fit(cls, episodes: Episodes, markets: Markets, calibrated: bool, before: Self | None = None) -> Self:
        """Plan for every campaign by the values and market prices of the logged episodes; campaigns without episodes
        keep the means of `before`."""
        means = dict(before.values.means) if before is not None else {}
        means |= {name: episodes.of(name).expected_value.mean() for name in episodes.campaigns}
        plans = Plans.fit(markets, episodes.auctions, by_mean=not calibrated)
        return cls(Values(markets=markets, means=means, calibrated=calibrated), plans)

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        price = market.prices(self.values.markets, seen)
        later, left = self.plans.lines(seen, price, settled=1)
        return np.asarray(highest_bid(later, self.plans.budgets, left, self.values.of(seen)) * price)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `tables.safetensors`."""
        self.values.save(folder)
        tables = dict(zip(self.plans.campaigns, self.plans.tables, strict=True))
        save_file(tables, folder / "tables.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        tables = load_file(folder / "tables.safetensors")
        names = sorted(tables)
        return cls(Values.load(folder), Plans(names, np.array([tables[name] for name in names])))
