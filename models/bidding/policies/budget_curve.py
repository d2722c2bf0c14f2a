"""A setting tuned by campaign and budget, and JSON serialization of policies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from models.bidding.auctions import Floats
from models.bidding.observation import Observation

FILE = "policy.json"


class Document(BaseModel):
    """A policy of plain values, stored as one JSON file."""

    model_config = ConfigDict(frozen=True)

    def save(self, folder: Path) -> None:
        """Write `policy.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(self.model_dump_json())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises pydantic's ValidationError where it is another policy's."""
        return cls.model_validate_json((folder / FILE).read_text())


class BudgetCurve(Document):
    """A setting for each campaign and budget, interpolated linearly in the logarithm of the budget.

    Attributes:
        ratios: the budgets, each as a share of the cost of winning everything at the mean price; rising.
        prices: mean market price by campaign.
        settings: by campaign, one for each of `ratios`.
    """

    ratios: tuple[float, ...]
    prices: Mapping[str, float]
    settings: Mapping[str, tuple[float, ...]]

    def at(self, seen: Observation) -> Floats:
        """The setting for each episode, of (episodes,)."""
        lines: np.ndarray[Any, Any] = seen.by_campaign(self.settings)
        ratio = np.maximum(seen.budget / seen.auctions / seen.look_up(self.prices), np.finfo(float).tiny)
        step = np.interp(np.log(ratio), np.log(self.ratios), np.arange(len(self.ratios)))
        left = np.minimum(step.astype(np.int64), max(len(self.ratios) - 2, 0))
        right = np.minimum(left + 1, len(self.ratios) - 1)
        rows = seen.campaign
        return np.asarray(lines[rows, left] + (step - left) * (lines[rows, right] - lines[rows, left]))
