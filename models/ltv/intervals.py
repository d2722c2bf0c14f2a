"""Prediction intervals by Mondrian split conformal, for answers that are often zero and otherwise heavy-tailed.

Customers are grouped by how much they are expected to spend; within each group the interval is a pair of multiples of
the predicted value, taken from the spread of actual over predicted among held-out customers (Vovk et al. 2005, chapter
4; Angelopoulos & Bates 2023). Groups are shares of the customers (the tenth that is worth least, ...), and multiples
are relative, so both carry over to another horizon, where amounts and chances of buying would not: over a longer one
nearly everybody buys, and a border at a chance of .98 would put all into the group of daily shoppers.

Customers of one time share its season: their errors are not independent, and the next season is not the last one. The
spread is therefore mixed with how far levels of successive times lie apart (`drift`; Dunn, Wasserman & Ramdas 2022,
'Distribution-free prediction sets for two-layer hierarchical models').

Where at least `coverage` of a group bought nothing, the quantiles are 0; the interval is then stretched to hold the
expected value. A group too small for what is asked (80% takes 9 customers, 90% takes 19, 99% takes 199) has an interval
without an upper end: from 0 to infinity.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy.special import ndtri

from models.ltv.btyd import Array

#: Groups hold at least so many buyers on average.
BUYERS_PER_GROUP = 100
MAX_GROUPS = 10
#: A smaller value (of a customer who never paid anything, say) has no multiples to speak of.
SMALLEST = 0.01
#: Levels are read without this share of the customers, those who are worth most: one wholesaler is no season.
LARGEST = 0.01
#: Equally likely levels that stand for the normal distribution of a season's logarithm.
SEASONS = ndtri((np.arange(9) + 0.5) / 9)


@dataclass(frozen=True)
class Intervals:
    """Group borders, and for each group the multiples of the value at which its interval begins and ends.

    `by`: what the borders are of: the `value`, or (as in older models) the `chance` of buying.
    """

    borders: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    by: str = "value"

    @classmethod
    def fit(
        cls, value: Array, actual: Array, coverage: float, *, drift: float = 0.0, newest: Array | None = None
    ) -> Self:
        """From customers whom the model has not learnt from.

        Args:
            value, actual: what they were expected to spend and what they spent, over one horizon.
            drift: the standard deviation of the logarithm of a season's level.
            newest: the values of customers as they will be asked for, where that is over another horizon: the borders
                are at the same shares of these.
        """
        smallest_group = 2 * int(np.ceil(2 / (1 - coverage)))
        groups = min(int((actual > 0).sum()) // BUYERS_PER_GROUP, len(value) // smallest_group)
        shares = np.arange(1, int(np.clip(groups, 1, MAX_GROUPS))) / np.clip(groups, 1, MAX_GROUPS)
        borders, first = np.unique(np.quantile(value, shares, method="lower"), return_index=True)
        kept = borders < value.max()  # values may be tied: no group is empty
        borders, shares = borders[kept], shares[first[kept]]
        ratio, group = actual / np.maximum(value, SMALLEST), np.searchsorted(borders, value)
        seasons = np.exp(drift * SEASONS) if drift else np.ones(1)
        spans = [_span(ratio[group == k], seasons, coverage) for k in range(len(borders) + 1)]
        if newest is not None:
            borders = np.quantile(newest, shares, method="lower")
        return cls(tuple(borders.tolist()), tuple(low for low, _ in spans), tuple(high for _, high in spans))

    def of(self, value: Array, chance: Array | None = None) -> tuple[Array, Array]:
        """Low and high, one a customer; `chance` of buying where the borders are of that."""
        score = value if self.by == "value" or chance is None else chance
        group, value = np.searchsorted(np.asarray(self.borders), score), np.maximum(value, SMALLEST)
        return value * np.asarray(self.low)[group], value * np.asarray(self.high)[group]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The intervals that `to_dict` described."""
        borders, low, high = (tuple(saved[name]) for name in ("borders", "low", "high"))
        return cls(borders, low, high, saved.get("by", "chance"))


def level(value: Array, actual: Array) -> tuple[float, float]:
    """How many times what was expected these customers spent in all, and the standard error of its logarithm."""
    usual, spent = value <= np.quantile(value, 1 - LARGEST), actual
    if (actual > 0).any():
        spent = np.minimum(actual, np.quantile(actual[actual > 0], 1 - LARGEST))
    value, spent = value[usual], spent[usual]
    if not spent.sum() > 0:
        return 1.0, 0.0
    found = float(spent.sum() / max(value.sum(), SMALLEST))
    return found, float(np.sqrt(np.sum((spent - found * value) ** 2)) / spent.sum())


def _span(ratio: Array, seasons: Array, coverage: float) -> tuple[float, float]:
    """The interval's ends in one group. Where enough bought nothing, zero is the low end and no miss is spent on it."""
    seen, customers, tail = np.sort(np.outer(ratio, seasons).ravel()), len(ratio), (1 - coverage) / 2
    if np.mean(ratio == 0) >= tail:
        return 0.0, max(_quantile(seen, coverage, customers), 1.0)
    low, high = -_quantile(-seen[::-1], 1 - tail, customers), _quantile(seen, 1 - tail, customers)
    return float(np.clip(low, 0.0, 1.0)), max(high, 1.0)


def _quantile(ordered: Array, share: float, customers: int) -> float:
    """What a new customer's stays at or below with at least this probability; infinite where too few tell."""
    share *= (customers + 1) / customers
    if share > 1 + 1e-9:
        return float("inf")
    return float(ordered[int(np.ceil(len(ordered) * share - 1e-9)) - 1])
