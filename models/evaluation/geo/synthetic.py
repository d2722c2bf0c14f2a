"""The augmented synthetic control (Ben-Michael, Feller and Rothstein, "The augmented synthetic control method", 2021).

Regions without the campaign are weighed so that together they went as the treated ones did before it: weights of at
least 0 that sum to 1 (Abadie, Diamond and Hainmueller, 2010). A ridge regression then corrects what they leave. Levels
are taken out first: only the course of the regions matters.
"""

from dataclasses import dataclass

import numpy as np

from models.evaluation.metrics import Array

#: Weight of the sum of 1 beside the fit, relative to the size of the outcomes.
EXACT = 1e3
#: Ridge penalties that are tried, as shares of the largest eigenvalue; the last leaves the weights as they are.
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, np.inf)
#: Days that the penalty is chosen on are left out in this many parts.
PARTS = 10


@dataclass(frozen=True)
class SyntheticControl:
    """Weights of the regions without the campaign, and the level of the treated ones above theirs."""

    weights: Array
    level: float

    def predict(self, donors: Array) -> Array:
        """What the treated regions would have been, by day."""
        predicted: Array = donors @ self.weights + self.level
        return predicted


def fit(treated: Array, donors: Array, penalty: float) -> SyntheticControl:
    """Weigh the regions `donors` (days, regions) to go as `treated` (days), the mean of the treated regions.

    Args:
        penalty: of the ridge correction, as a share of the largest eigenvalue; infinite for none.
    """
    wanted, given = treated - treated.mean(), donors - donors.mean(axis=0)
    weights = _simplex(wanted, given)
    if np.isfinite(penalty):
        gram = given.T @ given
        ridge = penalty * float(np.linalg.eigvalsh(gram)[-1])
        weights = weights + np.linalg.solve(gram + ridge * np.eye(len(gram)), given.T @ (wanted - given @ weights))
    return SyntheticControl(weights, float(treated.mean() - donors.mean(axis=0) @ weights))


def chosen_penalty(treated: Array, donors: Array) -> float:
    """The largest penalty whose error on days left out is within a standard error of the least."""
    parts = np.arange(len(treated)) * PARTS // len(treated)
    errors = np.empty((len(PENALTIES), PARTS))
    for part in range(PARTS):
        learn, held = parts != part, parts == part
        for at, penalty in enumerate(PENALTIES):
            control = fit(treated[learn], donors[learn], penalty)
            errors[at, part] = np.mean((treated[held] - control.predict(donors[held])) ** 2)
    mean = errors.mean(axis=1)
    best = int(np.argmin(mean))
    enough = mean <= mean[best] + errors[best].std(ddof=1) / np.sqrt(PARTS)
    return float(PENALTIES[int(np.flatnonzero(enough)[-1])])


def _simplex(wanted: Array, given: Array) -> Array:
    """Weights of at least 0 that sum to 1 and bring `given` nearest to `wanted`."""
    from scipy.optimize import nnls

    scale = EXACT * max(float(np.abs(given).max()), 1e-12) * np.sqrt(len(given))
    rows, aim = np.vstack([given, np.full(given.shape[1], scale)]), np.append(wanted, scale)
    found: Array = nnls(rows, aim)[0]
    return found / found.sum()
