"""Bidding by a plan: what an auction may cost is what the money would not bring later."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.market import Market, Markets
from models.bidding.observation import Observation
from models.bidding.planning import budget_grid, highest_bid, plan
from models.bidding.policies.dial import Document

#: Budgets the plan is made for; what lies between them is interpolated.
BUDGETS = 160


class Values(Document):
    """By what a policy values an impression: each campaign's market, and whether predictions are calibrated by it."""

    markets: Mapping[str, Market]
    means: Mapping[str, float]
    calibrated: bool

    def of(self, seen: Observation) -> Floats:
        """In units of the campaign's mean."""
        if self.calibrated:
            return market.worth(self.markets, seen)
        return np.asarray(seen.expected_value / seen.look_up(self.means))


class Rlb:
    """Cai et al., "Real-Time Bidding by Reinforcement Learning in Display Advertising" (2017): dynamic programming.

    As published it takes predictions as they are and plans by their mean. Calibrated, it values impressions by what
    came of predictions like theirs, and plans by all values and their prices together.
    """

    def __init__(self, values: Values, campaigns: Sequence[str], tables: npt.NDArray[np.float32]) -> None:
        """`tables` is of (campaigns, auctions to go from 0 on, budgets), in units of mean value and mean price."""
        self.values, self.campaigns, self.tables = values, tuple(campaigns), tables
        self.budgets = budget_grid(tables.shape[1] - 1, tables.shape[2])

    @classmethod
    def fit(cls, episodes: Episodes, markets: Markets, calibrated: bool) -> Self:
        """Plan for every campaign, by the values and market prices of the logged episodes."""
        budgets = budget_grid(episodes.auctions, BUDGETS)
        tables = []
        for name in episodes.campaigns:
            value, price = np.array(markets[name].pair_values), np.array(markets[name].pair_prices)
            tables.append(plan(value if calibrated else np.ones_like(value), price, episodes.auctions, budgets))
        means = {name: episodes.of(name).expected_value.mean() for name in episodes.campaigns}
        values = Values(markets=markets, means=means, calibrated=calibrated)
        return cls(values, episodes.campaigns, np.array(tables, dtype=np.float32))

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`. Where more auctions are left than were planned for, their number and the budget are scaled."""
        longest = self.tables.shape[1] - 1
        scale = np.minimum(1.0, longest / seen.remaining)
        price = market.prices(self.values.markets, seen)
        left = np.minimum(seen.left / price * scale, self.budgets[-1])
        place = seen.look_up({name: i for i, name in enumerate(self.campaigns)})
        later = self.tables[place, np.maximum(np.rint(seen.remaining * scale).astype(np.int64) - 1, 0)]
        return np.asarray(highest_bid(later, self.budgets, left, self.values.of(seen)) * price)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `tables.safetensors`."""
        self.values.save(folder)
        save_file({name: self.tables[i] for i, name in enumerate(self.campaigns)}, folder / "tables.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        tables = load_file(folder / "tables.safetensors")
        return cls(Values.load(folder), sorted(tables), np.array([tables[name] for name in sorted(tables)]))
