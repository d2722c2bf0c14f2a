"""An interval of an effect that holds at all times together, so that every day may be the last look.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit
theory and asymptotic confidence sequences", Annals of Statistics, 2024; arXiv 2103.06476, equation 9), joined with one
usual interval at the planned size. `EARLY` of the error probability is spent on the sequence and the rest on that look
(union bound), so that an experiment may stop early and still has nearly the textbook's power at its planned end.
"""

from collections.abc import Callable
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


def sequence(
    within: Callable[[Array], Bounds], units: Array, alpha: float, needed: float, planned: int | None
) -> Bounds:
    """The interval at each look, with looks on the last axis. All contain the truth with probability 1 - `alpha`.

    Args:
        within: the interval of so many standard errors at each look.
        units: of all arms, counted until each look.
        needed: planned units.
        planned: index of the look at the planned size; None before it. It must not depend on outcomes.
    """
    wide = within(multiples(units, alpha * EARLY, TUNED * needed))
    if planned is None:
        return wide
    usual = within(np.full(units.shape, -ndtri(alpha * (1 - EARLY) / 2)))
    low = np.maximum(wide.low, usual.low[..., planned, None])
    high = np.minimum(wide.high, usual.high[..., planned, None])
    kept = (np.arange(len(units)) >= planned) & (low <= high)
    return Bounds(np.where(kept, low, wide.low), np.where(kept, high, wide.high))


def multiples(units: Array, alpha: float, tuned: float) -> Array:
    """Half width of the asymptotic confidence sequence in standard errors, least at `tuned` units (equation 161)."""
    with np.errstate(divide="ignore"):
        grown = units * (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / tuned
        return np.asarray(np.sqrt(2 * (grown + 1) / grown * np.log(np.sqrt(grown + 1) / alpha)))


def relative(mean: Array, error: Array, multiple: Array) -> Bounds:
    """Bounds of the relative effect of each arm but the first on the first (Fieller, 1954), arms on the first axis.

    Zero is outside them exactly if the difference is more than `multiple` of its standard errors away from it. An upper
    bound is infinite where the control may be zero.
    """
    control, treated = mean[:1], mean[1:]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        noise, treated_noise = (multiple * error[:1]) ** 2, (multiple * error[1:]) ** 2
        certain, over = control**2 - noise, treated**2 - treated_noise
        both = control * treated
        root = np.sqrt(np.maximum(both**2 - certain * over, 0.0))
        bounded = (control > 0) & (certain > 0)
        low = np.where(bounded | ((control > 0) & (over > 0)), over / (both + root) - 1, -np.inf)
        high = np.where(bounded, (both + root) / certain - 1, np.inf)
    return Bounds(np.nan_to_num(low, nan=-np.inf, neginf=-np.inf), np.nan_to_num(high, nan=np.inf, posinf=np.inf))
