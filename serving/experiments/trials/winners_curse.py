"""The winner's curse: of effects that were picked because they look large, most are smaller than they look.

Empirical Bayes over the account's experiments: true effects are normal around 0, and their spread is learnt from all
experiments, not only from winners; an effect is shrunk by how far its own noise reaches beyond that spread. The result
holds whenever and for whatever reason an experiment was stopped. Efron, "Tweedie's Formula and Selection Bias", JASA
2011; van Zwet and Cator, "The Significance Filter, the Winner's Curse and the Need to Shrink", 2021. With few
experiments a conservative prior of the spread decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Prior of the spread of relative effects: lognormal with this median and this standard deviation of the logarithm.
MEDIAN, WIDTH = 0.05, 1.0
#: Spreads that are weighed against each other.
SPREADS = np.geomspace(1e-4, 2.0, 400)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Corrected:
    """A relative effect after correction, and its 95% interval."""

    value: float
    low: float
    high: float
    error: float


@dataclass(frozen=True)
class Shrinkage:
    """Spreads of true effects that the account's experiments allow, each with its weight; the weights sum to 1."""

    weights: Array
    experiments: int

    @property
    def spread(self) -> float:
        """Mean spread (standard deviation) of true effects."""
        return float(self.weights @ SPREADS)

    def correct(self, effect: float, error: float) -> Corrected:
        """The expected true effect of an experiment that showed `effect` with standard error `error`.

        The experiment itself should be among those that the spread was learnt from.
        """
        kept = SPREADS**2 / (SPREADS**2 + error**2)
        value = float(self.weights @ kept) * effect
        within, between = self.weights @ (kept * error**2), self.weights @ (kept * effect - value) ** 2
        spread = float(np.sqrt(within + between))
        return Corrected(value, value - 1.96 * spread, value + 1.96 * spread, spread)


def learnt(effects: Sequence[float], errors: Sequence[float]) -> Shrinkage:
    """Learn from the relative effects of all finished and running experiments of one account, winners or not.

    Raises `ValueError` where an effect is not finite or an error is not above 0; without experiments the prior remains.
    """
    effect, error = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    if not (np.isfinite(effect).all() and np.isfinite(error).all() and (error > 0).all()):
        raise ValueError("effects and errors: expected finite numbers, and errors above 0")
    variance = SPREADS[:, None] ** 2 + error**2
    likely = -0.5 * (np.log(variance) + effect**2 / variance).sum(axis=1)
    likely -= np.log(SPREADS / MEDIAN) ** 2 / (2 * WIDTH**2)
    weights = np.exp(likely - likely.max())
    return Shrinkage(weights / weights.sum(), len(effect))
