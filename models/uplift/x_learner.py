"""The X-learner (Künzel, Sekhon, Bickel and Yu, "Metalearners for estimating heterogeneous treatment effects using
machine learning", 2019), with gradient boosting.

A model of the outcome in each arm imputes what each customer would have done in the other; the differences are then
learnt themselves, from either arm, and averaged by the share that was treated: where few were, what is learnt from them
counts little.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation.metrics import Array
from models.tabular import Encoder, Matrix

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

#: Customers of an arm below which nothing is learnt.
FEWEST = 200
ROUNDS = 150
_PARAMS = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 7,
    "lambda_l2": 10.0,
    "feature_fraction": 0.8,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
}


@dataclass(frozen=True)
class UpliftModel:
    """Predicts the outcome that the intervention adds for a customer.

    Attributes:
        treated, held_out: models of the difference, learnt from either arm.
        share: of the customers that were treated.
        mean: the average effect, to which predictions are shrunk by `trust`.
    """

    encoder: Encoder
    treated: "lightgbm.Booster"
    held_out: "lightgbm.Booster"
    share: float
    mean: float
    trust: float

    def predict(self, rows: pd.DataFrame) -> Array:
        """The added outcome of each row."""
        given = self.encoder.encode(rows)
        found = _mixed(self.treated, self.held_out, self.share, given)
        predicted: Array = self.mean + self.trust * (found - self.mean)
        return predicted


def fit(rows: pd.DataFrame, treated: "pd.Series[bool]", outcome: "pd.Series[float]", seed: int) -> UpliftModel:
    """Learn from a randomised past.

    Args:
        rows: features of customers, known before the assignment, a row a customer.
        treated: whether the customer got the intervention, by chance alone.
        outcome: what came of it, such as the value in the weeks after.

    Raises:
        ValueError: an arm is too small; says how small.
    """
    took, value = treated.to_numpy(dtype=np.bool_), outcome.to_numpy(dtype=np.float64)
    smaller = int(min(took.sum(), (~took).sum()))
    if smaller < FEWEST:
        raise ValueError(f"uplift: expected at least {FEWEST} customers in each arm, got {smaller} in the smaller")
    encoder = Encoder.fit(rows)
    given = encoder.encode(rows)
    mean = float(value[took].mean() - value[~took].mean())
    outcomes = _outcomes(given, took, value, seed)
    trust = _trust(given, took, value, mean, seed)
    return UpliftModel(encoder, *_differences(given, took, value, outcomes, seed), float(took.mean()), mean, trust)


def _outcomes(given: Matrix, took: Flags, value: Floats, seed: int) -> "tuple[lightgbm.Booster, lightgbm.Booster]":
    """Models of the outcome with the intervention, and without."""
    return _booster(given[took], value[took], seed), _booster(given[~took], value[~took], seed)


def _differences(
    given: Matrix, took: Flags, value: Floats, outcomes: "tuple[lightgbm.Booster, lightgbm.Booster]", seed: int
) -> "tuple[lightgbm.Booster, lightgbm.Booster]":
    """Models of the difference, learnt from the treated and from those held out."""
    with_it, without = outcomes
    added = value[took] - np.asarray(without.predict(given[took]))
    missed = np.asarray(with_it.predict(given[~took])) - value[~took]
    return _booster(given[took], added, seed), _booster(given[~took], missed, seed)


def _trust(given: Matrix, took: Flags, value: Floats, mean: float, seed: int) -> float:
    """How much of the predicted differences between customers is real, from 0 to 1.

    Learnt on one half, predictions for the other are compared with doubly robust outcomes of these, whose mean at any
    features is the effect there. A slope of 1 says that the differences are as large as predicted, of 0 that there are
    none.
    """
    half, share = np.random.default_rng(seed).random(len(value)) < 0.5, float(took.mean())
    predicted, unbiased = np.empty(len(value)), np.empty(len(value))
    for held in (half, ~half):
        learn, rows = ~held, given[held]
        outcomes = _outcomes(given[learn], took[learn], value[learn], seed)
        differences = _differences(given[learn], took[learn], value[learn], outcomes, seed)
        predicted[held] = _mixed(*differences, share, rows)
        with_it, without = (np.asarray(one.predict(rows)) for one in outcomes)
        seen = np.where(took[held], (value[held] - with_it) / share, (without - value[held]) / (1 - share))
        unbiased[held] = with_it - without + seen
    spread = predicted - predicted.mean()
    slope = float(spread @ (unbiased - mean) / max(float(spread @ spread), 1e-12))
    return float(np.clip(slope, 0.0, 1.0))


def _mixed(treated: "lightgbm.Booster", held_out: "lightgbm.Booster", share: float, given: Matrix) -> Array:
    """Where few were treated, what is learnt from those held out counts little: it leans on a model of the treated."""
    mixed: Array = share * np.asarray(held_out.predict(given)) + (1 - share) * np.asarray(treated.predict(given))
    return mixed


def _booster(given: Matrix, label: Floats, seed: int) -> "lightgbm.Booster":
    from models.lean_lightgbm import lightgbm

    params = {**_PARAMS, "seed": seed, "min_data_in_leaf": max(20, len(label) // 40)}
    return lightgbm.train(params, lightgbm.Dataset(given, label), ROUNDS)
