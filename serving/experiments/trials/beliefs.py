"""The posterior of all arms of an experiment after a day."""

import numpy as np

from serving.experiments.trials import posterior as bayes
from serving.experiments.trials.experiment import Experiment
from serving.experiments.trials.moments import Moments
from serving.experiments.trials.posterior import Posterior

#: Standard error of an arm without any variation, of which nothing is known.
UNKNOWN = 1e6


def compared(experiment: Experiment, found: Moments, day: int) -> Posterior:
    """Compare the arms after one day. A rate is a beta posterior of counts; adjusted by CUPED it is a mean."""
    units, total, mean = found.units[day], found.total[day], found.mean[day]
    if experiment.rate is not None and not found.saved[day] and (total <= units).all():
        arms = [bayes.of_rate(*counts) for counts in zip(total, units, strict=True)]
    else:
        error = np.where(found.error[day] > 0, found.error[day], UNKNOWN)
        arms = [bayes.of_mean(*known) for known in zip(mean, error, strict=True)]
    return bayes.posterior(arms, experiment.equivalence)
