"""Sample ratio mismatch: whether the arms got the shares that were planned. If not, no other figure can be trusted.

Each arm's count is compared with its share, every day. The level of one look is Pocock's (1977): a sound experiment is
accused in at most `ALPHA` of cases over all of its planned daily looks together, arms counted (Bonferroni).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtr, ndtri

#: Looks for which the level is computed at most: with these, 365 looks accuse a sound experiment in 4.7% of cases.
MOST = 180
#: Units that each arm must be expected to have for a look (Cochran, 1954).
EXPECTED = 5
#: Probability that a sound experiment is accused, over all looks.
ALPHA = 0.04

Counts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SampleRatio:
    """The first look with a mismatch, or the last look.

    Attributes:
        day: of the look, from 1; `units` counted by arm until then, `expected` by the planned shares.
        chi2, p_value: Pearson's test of that look alone.
        level: that the test is compared with; None where no look came near it.
    """

    day: int
    units: tuple[float, ...]
    expected: tuple[float, ...]
    chi2: float
    p_value: float
    level: float | None
    mismatch: bool


def sample_ratio(units: Counts, shares: Sequence[float], looks: int) -> SampleRatio:
    """Compare counts with planned shares.

    Args:
        units: of (days, arms), counted until each day.
        shares: planned, summing to 1.
        looks: planned number of days; later looks keep the level.

    Raises:
        ValueError: there is no unit.
    """
    total = units.sum(axis=1, keepdims=True)
    if not len(units) or not total[-1, 0] > 0:
        raise ValueError("units: expected at least one in the experiment, got none")
    planned = np.asarray(shares, dtype=float)
    expected = total * planned
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.nan_to_num(np.abs(units - expected) / np.sqrt(expected * (1 - planned))).max(axis=1)
        chi2 = np.nan_to_num(((units - expected) ** 2 / expected).sum(axis=1))
    apart[(expected < EXPECTED).any(axis=1)] = 0.0
    # Two arms deviate together: one test.
    alpha, level, wrong = ALPHA / (len(planned) if len(planned) > 2 else 1), None, np.array([], dtype=int)
    if apart.max() > -ndtri(alpha / 2):  # else the stricter bound of many looks, which takes a while, is kept too
        level = one_look(min(looks, MOST), alpha)
        wrong = np.flatnonzero(apart > -ndtri(level / 2))
    at = int(wrong[0]) if len(wrong) else len(units) - 1
    p_value = float(chdtrc(len(planned) - 1, chi2[at]))
    counted, hoped = tuple(map(float, units[at])), tuple(map(float, expected[at]))
    return SampleRatio(at + 1, counted, hoped, float(chi2[at]), p_value, level, bool(len(wrong)))


@lru_cache(maxsize=64)
def one_look(looks: int, alpha: float) -> float:
    """Pocock's two-sided level for each of equally spaced looks, so that all together stay within `alpha`."""
    from scipy.optimize import brentq  # here, as what only reads findings does not need it

    if looks <= 1:
        return alpha
    bound = brentq(lambda bound: crossed(bound, looks) - alpha, -ndtri(alpha / 2), 6.0, xtol=1e-3)
    return float(2 * ndtr(-bound))


def crossed(bound: float, looks: int) -> float:
    """Probability that a standardised sum leaves ±`bound` at some look (Armitage, McPherson and Rowe, 1969)."""
    # Closer than the width of a step, so that the integral is exact to six digits.
    unit, weight = np.polynomial.legendre.leggauss(int(2 * bound * np.sqrt(looks)) + 20)
    places = bound * unit
    inside = weight * bound * np.exp(-(places**2) / 2) / np.sqrt(2 * np.pi)
    for look in range(2, looks + 1):
        ahead = bound * np.sqrt(look) * unit
        step = np.exp(-((ahead[:, None] - places) ** 2) / 2) / np.sqrt(2 * np.pi)
        inside = (step @ inside) * weight * bound * np.sqrt(look)
        places = ahead
    return float(1 - inside.sum())
