"""Thompson sampling with exact propensities: each candidate's probability to be the best, by integration.

Posteriors of rates are matched by gamma distributions, whose cube root is nearly normal (Wilson and Hilferty, 1931).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf, log1p, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr

#: Standard deviations from a mean at which probabilities are evaluated, and beyond which they count as 0.
_NODES = np.array([-5, -4, -3.25, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3.25, 4, 5])
_FARTHEST = 5.0
#: Most points of an integral; those of many candidates lie closer together than needed.
_MOST_NODES = 400
_NORM = sqrt(2 * np.pi)

Array = npt.NDArray[np.float64]


class Rate(NamedTuple):
    """What is known of a rate, or of a product of rates: its mean, and its variance relative to the squared mean."""

    mean: float
    spread: float

    def times(self, other: "Rate") -> "Rate":
        """The product with an independent rate."""
        return Rate(self.mean * other.mean, (1 + self.spread) * (1 + other.spread) - 1)


def posterior(mean: float, strength: float, successes: int, trials: int) -> Rate:
    """A rate by a Beta prior and what came of its trials.

    Args:
        mean: of the prior, between 0 and 1.
        strength: number of trials that the prior counts for.
        successes: more than `trials` where an outcome arrived before its trial was reported; then as many.
    """
    trials = max(trials, successes)
    found = (mean * strength + successes) / (strength + trials)
    return Rate(found, (1 - found) / (found * (strength + trials + 1)))


@lru_cache(maxsize=4096)
def best(rates: tuple[Rate, ...]) -> tuple[float, ...]:
    """The probability of each to be the highest: what Thompson sampling draws with. They sum to 1."""
    if len(rates) == 1:
        return (1.0,)
    mean, spread = np.array(rates, dtype=np.float64).T
    shape = 1 / np.maximum(spread, 1e-12)
    scale = np.cbrt(mean)
    centre, sd = scale * (1 - 1 / (9 * shape)), scale / (3 * np.sqrt(shape))
    running = np.flatnonzero(centre + _FARTHEST * sd > np.max(centre - _FARTHEST * sd))
    found = np.zeros(len(rates))
    found[running] = _highest(centre[running], sd[running])
    return tuple((found / found.sum()).tolist())


def _highest(centre: Array, sd: Array) -> Array:
    """Probability of each independent normal variable to be the highest, not normalized."""
    least = np.max(centre - _FARTHEST * sd)
    nodes = np.unique((centre[:, None] + sd[:, None] * _NODES).ravel())
    nodes = nodes[nodes > least]
    nodes = np.concatenate([[least], nodes[:: -(-len(nodes) // _MOST_NODES)]])
    z = (nodes - centre[:, None]) / sd[:, None]
    below = log_ndtr(z)
    others = np.exp(below.sum(axis=0) - below)
    density = np.exp(-(z**2) / 2) / (sd[:, None] * _NORM)
    found: Array = np.trapezoid(density * others, nodes, axis=1)
    return found


def top_two(shares: Sequence[float]) -> tuple[float, ...]:
    """Shares of top-two Thompson sampling with an even chance of the challenger (Russo, 2020).

    Of the leader as of the best; of the challenger as of the best, given that it is another.
    """
    p = np.asarray(shares, dtype=np.float64)
    odds = p / np.maximum(1 - p, 1e-12)
    challenger = p * (odds.sum() - odds)
    total = challenger.sum()
    challenger = challenger / total if total > 0 else p
    return tuple(((p + challenger) / 2).tolist())


def at_least(shares: Sequence[float], least: float) -> tuple[float, ...]:
    """The shares, mixed with equal ones so that none is below `least` times an equal share."""
    return tuple((1 - least) * share + least / len(shares) for share in shares)


def draw(shares: Sequence[float], uniforms: Sequence[float]) -> int:
    """The place drawn with these probabilities, by a uniform number for each place.

    As exponential clocks with the shares as rates: while a unit keeps its uniform numbers, it changes its place only as
    far as the shares change (weighted rendezvous hashing).
    """
    waits = [-log1p(-one) / share if share > 0 else inf for share, one in zip(shares, uniforms, strict=True)]
    return waits.index(min(waits))
