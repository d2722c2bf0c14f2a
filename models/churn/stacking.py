"""From the members' log-odds to one calibrated probability.

Stacking by out-of-fold answers with non-negative weights: Wolpert, "Stacked generalization" (1992); Breiman, "Stacked
regressions" (1996). Calibration: Platt, "Probabilistic outputs for support vector machines" (1999).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: Pull of the weights towards equal shares: members nearly agree, so that data alone set them apart badly.
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
        members = logits.shape[1]
        weights = _minimize(logits, churned, np.append(np.full(members, 1 / members), 0.0), lower=0.0)
        blend = logits @ weights[:-1] + weights[-1]
        slope, shift = _minimize(blend[latest, None], churned[latest], np.array([1.0, 0.0]), lower=1e-3)
        return cls(tuple((slope * weights[:-1]).tolist()), float(slope * weights[-1] + shift))

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


def _minimize(logits: Array, churned: Array, start: Array, lower: float) -> Array:
    """Weights of at least `lower`, then an intercept, of a logistic regression that is drawn to `start`."""
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(values: Array) -> tuple[float, Array]:
        blend = logits @ values[:-1] + values[-1]
        off = expit(blend) - churned
        drawn = values - start
        penalty = PULL * float(drawn @ drawn)
        slope = np.append(logits.T @ off, off.sum()) + 2 * PULL * drawn
        return float(np.logaddexp(0, blend).sum() - churned @ blend + penalty), slope

    bounds = [(lower, None)] * (len(start) - 1) + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=np.float64)
