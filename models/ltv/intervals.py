"""Prediction intervals by Mondrian split conformal, for answers that are often zero and otherwise heavy-tailed.

Customers are grouped by how surely they will buy; within each group the interval is a pair of multiples of the
predicted value, taken from the spread of actual over predicted among held-out customers (Vovk et al. 2005, chapter 4;
Angelopoulos & Bates 2023). Multiples carry over to another horizon where absolute errors would not. Where at least
`coverage` of a group bought nothing, the quantiles are 0; the interval is then stretched to hold the expected value.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from models.ltv.btyd import Array

#: Groups hold equally many buyers: those who will hardly buy need no fine grid, those who will do.
BUYERS_PER_GROUP = 100
MAX_GROUPS = 10
#: A smaller value (of a customer who never paid anything, say) has no multiples to speak of.
SMALLEST = 0.01


@dataclass(frozen=True)
class Intervals:
    """Group borders by `score`, and for each group the multiples of the value at which its interval begins and ends."""

    borders: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def fit(cls, score: Array, value: Array, actual: Array, coverage: float) -> Self:
        """From customers whom the model has not learnt from. `score` grows with how surely one will buy."""
        buyers = score[actual > 0]
        groups = int(np.clip(len(buyers) // BUYERS_PER_GROUP, 1, MAX_GROUPS))
        borders = np.unique(np.quantile(buyers, np.arange(1, groups) / groups, method="lower"))
        borders = borders[borders < score.max()]  # scores may be tied: no group is empty
        ratio, group = actual / np.maximum(value, SMALLEST), np.searchsorted(borders, score)
        spans = [_span(ratio[group == k], coverage) for k in range(len(borders) + 1)]
        return cls(tuple(borders.tolist()), tuple(low for low, _ in spans), tuple(high for _, high in spans))

    def of(self, score: Array, value: Array) -> tuple[Array, Array]:
        """Low and high, one a customer."""
        group, value = np.searchsorted(np.asarray(self.borders), score), np.maximum(value, SMALLEST)
        return value * np.asarray(self.low)[group], value * np.asarray(self.high)[group]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The intervals that `to_dict` described."""
        return cls(**{name: tuple(values) for name, values in saved.items()})


def _span(ratio: Array, coverage: float) -> tuple[float, float]:
    """The interval's ends in one group. Where enough bought nothing, zero is the low end and no miss is spent on it."""
    tail = (1 - coverage) / 2
    if np.mean(ratio == 0) >= tail:
        return 0.0, max(_quantile(ratio, coverage), 1.0)
    return min(-_quantile(-ratio, 1 - tail), 1.0), max(_quantile(ratio, 1 - tail), 1.0)


def _quantile(values: Array, level: float) -> float:
    """The order statistic that a new value stays at or below with at least this probability."""
    place = min(int(np.ceil((len(values) + 1) * level)), len(values)) - 1
    return float(np.sort(values)[place])
