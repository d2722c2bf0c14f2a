"""The trend of an arm's effect: how it changes by the day. Both arms share the season, which cancels out."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from serving.experiments.trials.experiment import WEEK
from serving.experiments.trials.moments import effects, moments

Array = npt.NDArray[np.float64]


def trends(sums: Mapping[str, Array]) -> tuple[tuple[float, float, float] | None, ...]:
    """Relative change a day of each treated arm's ratio to the control, with its 95% interval.

    A straight line through the logarithm of the daily ratios, weighted by their precision. None where fewer than a
    week's days have outcomes in both arms.

    Args:
        sums: of (days, arms), counted until each day.
    """
    single = {name: np.diff(values, axis=0, prepend=0.0) for name, values in sums.items()}
    effect, error = effects(moments(single))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, noise = np.log1p(effect), error / (1 + effect)
    return tuple(_line(ratio[:, arm], noise[:, arm]) for arm in range(effect.shape[1]))


def _line(ratio: Array, noise: Array) -> tuple[float, float, float] | None:
    known = np.isfinite(ratio) & np.isfinite(noise) & (noise > 0)
    if known.sum() < WEEK:
        return None
    day, weight = np.flatnonzero(known).astype(float), noise[known] ** -2
    day -= weight @ day / weight.sum()
    precision = weight @ day**2
    slope, error = float(weight @ (day * ratio[known]) / precision), float(precision**-0.5)
    return slope, slope - 1.96 * error, slope + 1.96 * error
