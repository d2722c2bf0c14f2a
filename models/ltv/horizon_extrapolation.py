"""Beyond the horizon that history teaches: how far past spend is to be believed beside the model.

Trees learn what the next weeks bring; far beyond them, what a customer has spent in all says as much. The two are
combined (Bates & Granger 1969, 'The combination of forecasts'), by a weight that is learnt from longer horizons: what
customers spent in the time of the later examples, as foreseen from the cutoffs of the earlier ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

import numpy as np
import pandas as pd

from models.ltv.btyd import Array

#: Past spend counts as at least this share of the model's answer: one who never paid anything would be worth nothing.
LEAST = 0.05
#: Variance grows with this power of the mean: spend is a sum of Gamma amounts over a Poisson number of purchases.
POWER = 1.5
#: What a season does to the spend of a shop's customers where nothing else is known: a tenth more or less.
USUAL = 0.1


@dataclass(frozen=True)
class HorizonExtrapolation:
    """`weight`: of past spend in the logarithm of the value; `level`: what keeps the total as the model has it."""

    weight: float = 0.0
    level: float = 1.0

    @classmethod
    def over(cls, weight: float, own: Array, past: Array) -> Self:
        """The one of this weight that leaves the total of these customers as the model has it."""
        return cls(weight, float(own.sum() / cls(weight).value(own, past).sum()))

    def value(self, own: Array, past: Array) -> Array:
        """The model's `own` answers and past spend, combined."""
        return np.asarray(own * np.exp(self.moved(own, past)))

    def moved(self, own: Array, past: Array) -> Array:
        """By how much that moves the logarithm of the model's own answers."""
        return np.asarray(self.weight * _apart(own, past) + np.log(self.level))


def pairs(earlier: pd.DataFrame, later: pd.DataFrame, entity: str) -> pd.DataFrame:
    """Earlier examples whose customers are among the later ones: `value` is what they spent then.

    `horizon_days` reach from the earlier cutoff to the end of the later horizon.
    """
    known = later[[entity, "event_timestamp", "horizon_days", "value"]]
    both = earlier.drop(columns=["horizon_days", "value"]).merge(known, on=entity, suffixes=("", "_later"))
    both["horizon_days"] += (both.pop("event_timestamp_later") - both["event_timestamp"]).dt.days
    return both


def chained(examples: pd.DataFrame, horizon: int, entity: str) -> pd.DataFrame:
    """The examples of the cutoff from which labels, one window after another, reach `horizon` or nearest to it.

    Of several such cutoffs it is the latest. `value` and `horizon_days` are of all those windows together.
    """
    times, window = examples["event_timestamp"], int(examples["horizon_days"].max())
    cutoffs = {pd.Timestamp(at) for at in times.unique()}

    def windows(start: pd.Timestamp) -> list[pd.Timestamp]:
        ahead = (start + pd.Timedelta(days=k * window) for k in range(-(-horizon // window)))
        return list(takewhile(cutoffs.__contains__, ahead))

    start = max(cutoffs, key=lambda at: (len(windows(at)), at))
    inside = examples[times.isin(windows(start))]
    spent = inside.groupby(entity)["value"].sum()  # whoever bought before one cutoff is known at the next
    rows = examples[times == start]
    return rows.assign(value=rows[entity].map(spent), horizon_days=window * len(windows(start)))


def drift(level: Mapping[pd.Timestamp, float], window: int) -> float:
    """By how much the logarithm of a season's level differs from that of the season before, as a root mean square.

    `level` of each cutoff, of which those a `window` of days apart follow each other. `USUAL` counts as one more.
    """
    after = pd.Timedelta(days=window)
    steps = [np.log(level[at + after] / level[at]) for at in level if at + after in level]
    return float(np.sqrt(np.mean(np.square([USUAL, *steps]))))


def weight(own: Array, past: Array, spend: Array) -> float:
    """How far past spend is to be believed beside the model's `own` answers, 0 to 1, by what was spent later on."""
    from sklearn.linear_model import TweedieRegressor

    if not (spend > 0).any():
        return 0.0
    # The model's answers are the offset: learning the ratio to them, they weigh its variance. The intercept, the level
    # of one season, is left behind.
    learner = TweedieRegressor(power=POWER, link="log", alpha=0.0, solver="newton-cholesky", max_iter=1000)
    importance = own ** (2 - POWER)
    learner.fit(_apart(own, past)[:, None], spend / own, sample_weight=importance / importance.mean())
    return float(np.clip(learner.coef_[0], 0.0, 1.0))


def _apart(own: Array, past: Array) -> Array:
    return np.log(np.maximum(past / own, LEAST))
