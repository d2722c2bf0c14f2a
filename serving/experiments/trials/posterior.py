"""Bayesian reading of the arms: probability to be best, expected loss, and effects too small to matter.

Rates have a beta posterior (Jeffreys prior), means a normal one. All figures are integrals over a grid, without
sampling. ControlOutcome loss: Stucchio, "Bayesian A/B Testing at VWO", 2015. Region of practical equivalence: Kruschke,
"Rejecting or Accepting Parameter Values in Bayesian Estimation", 2018.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv, ndtr

#: Points of the grid, and how much probability beyond its ends is left out.
POINTS, TAIL = 401, 1e-9

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Belief:
    """The posterior of one arm's mean: its cumulative distribution, and a range that holds nearly all of it."""

    below: Callable[[Array], Array]
    least: float
    most: float


def of_rate(total: float, units: float) -> Belief:
    """Beta posterior of a rate after `total` successes in `units`."""
    won, lost = total + 0.5, units - total + 0.5
    least, most = betaincinv(won, lost, [TAIL, 1 - TAIL])
    return Belief(lambda at: np.asarray(betainc(won, lost, np.clip(at, 0, 1))), float(least), float(most))


def of_mean(mean: float, error: float) -> Belief:
    """Normal posterior of a mean with a flat prior."""
    return Belief(lambda at: np.asarray(ndtr((at - mean) / error)), mean - 6 * error, mean + 6 * error)


@dataclass(frozen=True)
class Posterior:
    """Figures of all arms, the control first.

    Attributes:
        best: probability that the arm's mean is the highest; they sum to 1.
        loss: what is expected to be lost for each unit if this arm is chosen, in the unit of the metric.
        equivalent: by treated arm, probability that its relative effect lies inside the region of equivalence.
    """

    best: tuple[float, ...]
    loss: tuple[float, ...]
    equivalent: tuple[float, ...]


def posterior(arms: Sequence[Belief], equivalence: float) -> Posterior:
    """Compare the arms, of which the first is the control.

    Args:
        equivalence: the relative effect within which, on either side, an arm is as good as the control.
    """
    grid = np.linspace(min(arm.least for arm in arms), max(arm.most for arm in arms), POINTS)
    below = np.array([arm.below(grid) for arm in arms])
    mass, middle = np.diff(below, axis=1), (below[:, 1:] + below[:, :-1]) / 2
    others = np.array([np.delete(below, arm, axis=0).prod(axis=0) for arm in range(len(arms))])
    best = np.array([(mass[arm] * np.delete(middle, arm, axis=0).prod(axis=0)).sum() for arm in range(len(arms))])
    loss = np.trapezoid(below * (1 - others), grid, axis=1)
    centre = (grid[1:] + grid[:-1]) / 2
    margin = equivalence * np.abs(centre)
    near = [(mass[0] * (arm.below(centre + margin) - arm.below(centre - margin))).sum() for arm in arms[1:]]
    return Posterior(tuple(map(float, best / best.sum())), tuple(map(float, loss)), tuple(map(float, near)))
