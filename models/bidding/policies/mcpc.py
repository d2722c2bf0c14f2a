"""MCPC: bid the historical cost per unit of value, regardless of the budget."""

from collections.abc import Mapping
from typing import Self

import numpy as np

from models.bidding.auctions import Episodes, Floats
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import Document


class Mcpc(Document):
    """Bid the predicted value times a target cost per unit of value: the maximum cost per click (Cai et al., 2017)."""

    targets: Mapping[str, float]

    @classmethod
    def fit(cls, episodes: Episodes) -> Self:
        """The target is the cost per unit of value in the log if everything had been won."""
        parts = {name: episodes.of(name) for name in episodes.campaigns}
        return cls(targets={name: part.cost.sum() / max(part.value.sum(), 0.5) for name, part in parts.items()})

    def bid(self, seen: Observation) -> Floats:
        """See `Policy`."""
        return np.asarray(seen.look_up(self.targets) * seen.expected_value)
