"""Mean and standard error of each arm from sums, with CUPED where the units had a value before the experiment.

A row of data is one unit, or the total of several (a day of impressions). Both have the same estimate, a ratio of sums,
whose error treats rows as independent (Cochran, "Sampling Techniques", 1977, section 6.4); for single units it is the
usual error of a mean. CUPED: Deng, Xu, Kohavi and Walker, "Improving the Sensitivity of Online Controlled Experiments
by Utilizing Pre-Experiment Data", WSDM 2013.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Of each arm, in arrays whose last axis is the arm.

    Attributes:
        units, total: counted, and the sum of what is measured.
        mean: a unit's, adjusted by CUPED; `raw` is not.
        error: standard error of `mean`; NaN below two units.
        saved: share of the variance that CUPED took away; 0 without a covariate.
    """

    units: Array
    total: Array
    mean: Array
    raw: Array
    error: Array
    saved: Array


def moments(sums: Mapping[str, Array]) -> Moments:
    """Moments from the sums that `features.experiments.SUMS` names, arms on the last axis."""
    units, total = sums["units"], sums["total"]
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = total / units
        scatter = sums["squares"] - 2 * raw * sums["cross"] + raw**2 * sums["units_squares"]
        before, common = sums["before"] / units, sums["before"].sum(-1, keepdims=True) / units.sum(-1, keepdims=True)
        own = sums["before_squares"] - units * before**2
        shared = sums["before_product"] - units * before * raw
        # One slope for all arms: a slope of its own would let an arm's noise into its mean.
        slope = np.nan_to_num(shared.sum(-1, keepdims=True) / own.sum(-1, keepdims=True), posinf=0.0, neginf=0.0)
        rest = np.maximum(scatter - 2 * slope * shared + slope**2 * own, 0.0)
        error = np.where(units > 1, np.sqrt(rest) / units, np.nan)
        saved = np.nan_to_num(1 - rest.sum(-1) / scatter.sum(-1))
    return Moments(units, total, raw - slope * (before - common), raw, error, saved)


def effects(found: Moments) -> tuple[Array, Array]:
    """Relative effect of each arm but the first on the first, and its standard error (delta method)."""
    mean, error = found.mean, found.error
    base, base_error = mean[..., :1], error[..., :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = mean[..., 1:] / base - 1
        spread = np.sqrt((error[..., 1:] / base) ** 2 + (mean[..., 1:] * base_error / base**2) ** 2)
    return effect, spread
