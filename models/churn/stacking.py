"""From the members' log-odds to one calibrated probability.

Stacking by out-of-fold answers: Wolpert, "Stacked generalization" (1992). Weights count how often a member is picked,
one pick after the other: Caruana et al., "Ensemble selection from libraries of models" (2004); few picks fit a few
hundred customers less closely than a regression does. Calibration: Platt, "Probabilistic outputs for support vector
machines" (1999).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: Members that are picked, one more than once if it helps.
PICKS = 20
#: Pull of a calibration towards none at all.
PULL = 10.0
#: A probability stays this far from 0 and 1: no customer is certain.
EDGE = 1e-4


@dataclass(frozen=True)
class Stack:
    """One weight a member, none negative, and an intercept, with the calibration already in them."""

    weights: tuple[float, ...]
    intercept: float

    @classmethod
    def fit(cls, logits: Array, churned: Array, latest: npt.NDArray[np.bool_]) -> Self:
        """Learn from out-of-fold log-odds (rows, members); calibrate on the `latest`, nearest to what comes."""
        alone = np.array([_calibration(said, churned) for said in logits.T])
        share = _picked(logits * alone[:, 0] + alone[:, 1], churned)
        weights, intercept = share * alone[:, 0], share @ alone[:, 1]
        slope, shift = _calibration((logits @ weights + intercept)[latest], churned[latest])
        return cls(tuple((slope * weights).tolist()), float(slope * intercept + shift))

    def probability(self, logits: Array) -> Array:
        """Of churn, from log-odds of (rows, members)."""
        from scipy.special import expit

        return np.asarray(np.clip(expit(self.blend(logits)), EDGE, 1 - EDGE))

    def blend(self, logits: Array) -> Array:
        """Log-odds of churn, from the members'."""
        return np.asarray(logits @ np.asarray(self.weights) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"weights": list(self.weights), "intercept": self.intercept}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The stack that `to_dict` described."""
        return cls(tuple(saved["weights"]), saved["intercept"])


def deal(customers: npt.NDArray[Any], churned: Array, folds: int, seed: int) -> npt.NDArray[np.intp]:
    """The fold of each row: a customer's rows in one fold, customers who ever churned spread evenly."""
    names, place = np.unique(customers, return_inverse=True)
    ever = np.bincount(place, weights=churned) > 0
    order = np.lexsort((np.random.default_rng(seed).permutation(len(names)), ever))
    fold = np.empty(len(names), dtype=np.intp)
    fold[order] = np.arange(len(names)) % folds
    return fold[place]


def _picked(logits: Array, churned: Array) -> Array:
    """The share of each member's picks, each pick the one after which the mean leaves least log-loss."""
    count, total = np.zeros(logits.shape[1]), np.zeros((len(churned), 1))
    for picks in range(1, PICKS + 1):
        blend = (total + logits) / picks
        best = np.argmin(np.logaddexp(0, blend).sum(axis=0) - churned @ blend)
        count[best] += 1
        total += logits[:, [best]]
    return count / PICKS


def _calibration(logits: Array, churned: Array) -> Array:
    """Slope and shift of a logistic regression on log-odds, which is drawn to leaving them as they are."""
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(values: Array) -> tuple[float, Array]:
        blend = logits * values[0] + values[1]
        off = expit(blend) - churned
        drawn = values - (1.0, 0.0)
        slope = np.array([logits @ off, off.sum()]) + 2 * PULL * drawn
        return float(np.logaddexp(0, blend).sum() - churned @ blend + PULL * drawn @ drawn), slope

    found = minimize(loss, (1.0, 0.0), jac=True, method="L-BFGS-B", bounds=[(1e-3, None), (None, None)])
    return np.asarray(found.x, dtype=np.float64)
