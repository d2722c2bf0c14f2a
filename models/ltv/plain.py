"""The plain answer: a Tweedie regression of spend a day on the features alone, as gradient boosted trees.

It knows nothing of buying and leaving, yet ranks many a shop's customers better than the hurdle model: it is the
baseline to be beaten and half of the value. What trees cannot do is answer beyond what they have seen: of a wholesaler
they say what the largest of the others spends.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.ltv.btyd import Array
from models.ltv.intervals import LARGEST
from models.tabular import Matrix

if TYPE_CHECKING:
    import lightgbm

#: Fewer rows than this are scored faster by one thread than by many.
ROWS_PER_THREAD = 20_000


@dataclass(frozen=True)
class Plain:
    """Half of the value. `most`: the largest spend a day that the trees have said; `level`: what makes totals equal."""

    booster: "lightgbm.Booster"
    most: float
    level: float = 1.0

    def levelled(self, encoded: Matrix, horizon: Array, own: Array) -> "Plain":
        """With the level at which the total of these customers, but for those worth most, is that of `own`."""
        said, usual = self.value(encoded, horizon, own), own <= np.quantile(own, 1 - LARGEST)
        return replace(self, level=self.level * float(own[usual].sum() / said[usual].sum()))

    def value(self, encoded: Matrix, horizon: Array, own: Array) -> Array:
        """Spend over `horizon` days. Who is worth more to the hurdle model (`own`) than trees say keeps its lead."""
        said = per_day(self.booster, encoded) * horizon * self.level
        return np.asarray(said * np.maximum(own / (self.most * horizon), 1.0))

    def combined(self, encoded: Matrix, horizon: Array, own: Array) -> Array:
        """The mean of both: combined forecasts are hard to beat by weighing them (Bates & Granger 1969)."""
        return np.asarray((own + self.value(encoded, horizon, own)) / 2)

    def effects(self, encoded: Matrix) -> Array:
        """By how much each column moved the logarithm of what the trees say."""
        return np.asarray(self.booster.predict(encoded, pred_contrib=True))[:, :-1]


def per_day(booster: "lightgbm.Booster", encoded: Matrix) -> Array:
    """Expected spend a day."""
    threads = 1 if len(encoded) < ROWS_PER_THREAD else 0
    return np.asarray(booster.predict(encoded, num_threads=threads), dtype=np.float64)
