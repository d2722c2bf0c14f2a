"""Adaptive size: the plan grows once, after the first full week, if outcomes are rarer or vary more than expected.

Only the rate of all arms together is looked at (blinded sample size re-estimation: Friede and Kieser, 2006), so that
the error probabilities stay as planned. The plan never shrinks, and grows to `MOST` times its size at most.
"""

from collections.abc import Mapping
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from serving.experiments.trials.experiment import WEEK, Experiment
from serving.experiments.trials.sample_size import ControlOutcome, required

MOST = 2.0

Array = npt.NDArray[np.float64]


def resized(experiment: Experiment, sums: Mapping[str, Array]) -> Experiment:
    """The experiment with the size that its first week calls for.

    Args:
        sums: of (days, arms), counted until each day, as `course.counted` gives them.
    """
    if len(sums["units"]) < WEEK:
        return experiment
    week = {name: float(values[WEEK - 1].sum()) for name, values in sums.items()}
    if not (week["units"] > 0 and week["total"] > 0):
        return experiment
    seen = _seen(experiment, week)
    needed = required(seen, experiment.lift, experiment.shares, experiment.alpha, experiment.power)
    if needed <= experiment.needed:
        return experiment
    grown = min(needed, ceil(MOST * experiment.needed))
    days = ceil(grown / (week["units"] / WEEK) / WEEK) * WEEK
    return experiment.model_copy(update={"needed": grown, "days": max(experiment.days, days)})


def _seen(experiment: Experiment, week: Mapping[str, float]) -> ControlOutcome:
    """What all arms together showed for each unit. The lift stays relative to it."""
    mean = week["total"] / week["units"]
    if experiment.rate is not None:
        return ControlOutcome(min(mean, 0.999 / (1 + experiment.lift)))
    scatter = week["squares"] - 2 * mean * week["cross"] + mean**2 * week["units_squares"]
    return ControlOutcome(mean, sqrt(scatter / week["units"]))
