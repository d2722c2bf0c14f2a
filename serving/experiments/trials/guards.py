"""Guarded metrics: whether one got worse than tolerated, beyond noise, on any day from the first on."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from serving.experiments.trials.course import course
from serving.experiments.trials.experiment import Experiment
from serving.experiments.trials.verdict import FEWEST, GuardEffect

Array = npt.NDArray[np.float64]
#: What is added to each arm where one has no outcome, so that a ratio exists (Haldane, 1956; Anscombe, 1956).
HALF = 0.5


def judged(experiment: Experiment, sums: Mapping[str, Mapping[str, Array]]) -> tuple[GuardEffect, ...]:
    """Each guarded metric in each treated arm, with its share of the error probability.

    Args:
        sums: of (days, arms) by metric, counted until each day.
    """
    found = []
    for guard in experiment.guards:
        run = course(experiment, _shifted(sums[guard.metric]), experiment.alpha / len(experiment.guards))
        for at, arm in enumerate(experiment.names[1:]):
            value, low, high = float(run.effect[-1, at]), float(run.low[-1, at]), float(run.high[-1, at])
            if _outcomes(sums[guard.metric]) < FEWEST or not np.isfinite(low):
                found.append(GuardEffect(guard.metric, arm))
                continue
            worse = low > guard.tolerated if guard.worse == "higher" else high < -guard.tolerated
            found.append(GuardEffect(guard.metric, arm, value, low, high if np.isfinite(high) else None, worse))
    return tuple(found)


def _outcomes(sums: Mapping[str, Array]) -> float:
    """In all arms: the total of a metric that counts, else the units."""
    total, squares = sums["total"][-1], sums["squares"][-1]
    return float((total if np.array_equal(total, squares) else sums["units"][-1]).sum())


def _shifted(sums: Mapping[str, Array]) -> Mapping[str, Array]:
    """The sums; where an arm has no outcome at the end, with half of one more in each."""
    if (sums["total"][-1] > 0).all():
        return sums
    return {name: values + HALF * (name in ("total", "squares", "cross")) for name, values in sums.items()}
