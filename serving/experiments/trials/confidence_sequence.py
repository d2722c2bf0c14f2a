"""An interval of an effect that holds at all times together, so that every day may be the last look.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit
theory and asymptotic confidence sequences", Annals of Statistics, 2024; arXiv 2103.06476, equation 9), joined with one
usual interval at the planned size. `EARLY` of the error probability is spent on the sequence and the rest on that look
(union bound), so that an experiment may stop early and still has nearly the textbook's power at its planned end.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

#: Share of the error probability that is spent on looks at any time: of a planned power of 80% it leaves 76% at the
#: planned end, and ends an experiment with twice the planned lift in half of its time.
EARLY = 0.3
#: Share of the planned units at which the sequence is narrowest.
TUNED = 0.5

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """Lower and upper bounds at each look; infinite where there is no estimate yet."""

    low: Array
    high: Array


def sequence(effect: Array, error: Array, units: Array, alpha: float, needed: float, planned: int | None) -> Bounds:
    """The interval at each look, with looks on the last axis. All contain the effect with probability 1 - `alpha`.

    Args:
        effect, error: estimate and standard error at each look.
        units: of all arms, counted until each look.
        needed: planned units.
        planned: index of the look at the planned size; None before it. It must not depend on outcomes.
    """
    wide = np.nan_to_num(half_width(error, units, alpha * EARLY, TUNED * needed), nan=np.inf)
    middle = np.nan_to_num(effect)
    low, high = middle - wide, middle + wide
    if planned is not None:
        half = -ndtri(alpha * (1 - EARLY) / 2) * error[..., planned]
        least, most = effect[..., planned] - half, effect[..., planned] + half
        after = np.arange(effect.shape[-1]) >= planned
        narrow, top = np.maximum(low, least[..., None]), np.minimum(high, most[..., None])
        kept = after & (narrow <= top)
        low, high = np.where(kept, narrow, low), np.where(kept, top, high)
    return Bounds(low, high)


def half_width(error: Array, units: Array, alpha: float, tuned: float) -> Array:
    """Half the width of the asymptotic confidence sequence, narrowest at `tuned` units (its equation 161)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = units * (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / tuned
        return np.asarray(error * np.sqrt(2 * (grown + 1) / grown * np.log(np.sqrt(grown + 1) / alpha)))
