"""How many units an experiment needs, and the least effect that a number of units shows.

Two proportions or means at a significance level and a power, with the textbook's normal approximation (Fleiss, Levin
and Paik, "Statistical Methods for Rates and Proportions", 2003, chapter 4, without continuity correction). A unit is
what is randomised: an impression, a customer. Effects are relative: 0.10 is a tenth more than the control's mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt

from scipy.special import ndtri

#: A relative effect beyond which the least detectable one is not looked for.
LARGEST = 100.0


@dataclass(frozen=True)
class ControlOutcome:
    """What the control is expected to show for each unit: a rate, or a mean with its standard deviation.

    Raises `ValueError` naming the field: a rate must lie between 0 and 1, a mean and its deviation above 0.
    """

    mean: float
    sd: float | None = None

    def __post_init__(self) -> None:
        if self.sd is None and not 0 < self.mean < 1:
            raise ValueError(f"rate: expected a number between 0 and 1, got {self.mean:g}")
        if self.sd is not None and not (0 < self.mean < inf and 0 < self.sd < inf):
            raise ValueError(f"mean and sd: expected numbers above 0, got {self.mean:g} and {self.sd:g}")

    def variance(self, mean: float) -> float:
        """Of one unit, where its mean is `mean`."""
        return self.sd**2 if self.sd is not None else mean * (1 - mean)


def required(expected: ControlOutcome, lift: float, shares: Sequence[float], alpha: float, power: float) -> int:
    """Units that all arms need together to show a relative effect `lift` of the arm with the smallest share.

    Args:
        shares: of the units, by arm, the control first; they sum to 1. Arms beyond two share `alpha` (Bonferroni).

    Raises:
        ValueError: a rate would rise to 1 or beyond.
    """
    control, treated = shares[0], min(shares[1:])
    first, second = expected.mean, expected.mean * (1 + lift)
    if expected.sd is None and second >= 1:
        raise ValueError(f"lift: a rate of {first:g} raised by {lift:.1%} is {second:g}; expected less than 1")
    pooled = (control * first + treated * second) / (control + treated)
    same = expected.variance(pooled) * (1 / control + 1 / treated)
    apart = expected.variance(first) / control + expected.variance(second) / treated
    found = float(ndtri(1 - alpha / (len(shares) - 1) / 2) * sqrt(same) + ndtri(power) * sqrt(apart))
    return ceil((found / (second - first)) ** 2)


def detectable(expected: ControlOutcome, units: float, shares: Sequence[float], alpha: float, power: float) -> float:
    """The least relative effect that `units` of all arms together show; infinite where there is none."""
    from scipy.optimize import brentq  # here, as what only reads plans does not need it

    most = LARGEST if expected.sd is not None else (1 - 1e-9) / expected.mean - 1

    def lacking(lift: float) -> float:
        return required(expected, lift, shares, alpha, power) - units

    return float(brentq(lacking, 1e-6, most, xtol=1e-6)) if lacking(most) < 0 < lacking(1e-6) else inf
