"""The course of an experiment: each arm's figures as they stood after each day, and the intervals of the effects.

Days count exposures whose outcomes were waited for: a slow arm is compared when both arms had the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.experiments import SUMS
from serving.experiments.trials.confidence_sequence import relative, sequence
from serving.experiments.trials.experiment import WEEK, Experiment
from serving.experiments.trials.moments import Moments, effects, moments

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrialCourse:
    """Figures after each day.

    Attributes:
        found: moments of (days, arms).
        effect, error: relative effect of each treated arm and its standard error, of (days, arms - 1); `low` and `high`
            bound it at all days together.
        planned: index of the day at whose end the planned size was reached in full weeks; None before.
    """

    found: Moments
    effect: Array
    error: Array
    low: Array
    high: Array
    planned: int | None

    @property
    def known(self) -> bool:
        """Whether the last day has an effect with finite bounds in every arm."""
        return bool(np.isfinite([self.effect[-1], self.low[-1], self.high[-1]]).all())


def counted(daily: pd.DataFrame, arms: Sequence[str], start: pd.Timestamp, until: pd.Timestamp) -> dict[str, Array]:
    """Sums of (days, arms) until each day from `start` to before `until`, by the names of `features.experiments.SUMS`.

    Args:
        daily: rows of one experiment and metric. Arms that are not asked for are left out.
    """
    days = pd.date_range(start, until, inclusive="left")
    at, arm = days.get_indexer(pd.DatetimeIndex(daily["day"])), pd.Index(arms).get_indexer(pd.Index(daily["arm"]))
    inside = (at >= 0) & (arm >= 0)
    cell, cells = at[inside] * len(arms) + arm[inside], len(days) * len(arms)
    single = {
        name: np.bincount(cell, daily[name].to_numpy(dtype=float)[inside], cells).reshape(len(days), len(arms))
        for name in SUMS
    }
    return {name: values.cumsum(axis=0) for name, values in single.items()}


def course(experiment: Experiment, sums: Mapping[str, Array], alpha: float) -> TrialCourse:
    """The course from sums of (days, arms); `alpha` is the error probability of all treated arms together."""
    found = moments(sums)
    effect, error = effects(found)
    units = sums["units"].sum(axis=1)
    planned = reached(units, experiment)
    mean, noise = found.mean.T, found.error.T
    bounds = sequence(
        lambda multiple: relative(mean, noise, multiple), units, alpha / effect.shape[1], experiment.needed, planned
    )
    return TrialCourse(found, effect, error, bounds.low.T, bounds.high.T, planned)


def reached(units: Array, experiment: Experiment) -> int | None:
    """The day at whose end all planned units were there, in full weeks and not before the planned number of days."""
    ends = np.arange(1, len(units) + 1)
    there = np.flatnonzero((ends % WEEK == 0) & (ends >= experiment.days) & (units >= experiment.needed))
    return int(there[0]) if len(there) else None
