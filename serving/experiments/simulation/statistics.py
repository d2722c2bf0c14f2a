"""Bootstrap estimates over campaigns."""

import numpy as np

from features.simulator.market import Floats
from models.evaluation.bootstrap import SAMPLES
from serving.experiments.simulation.records import Estimate


def estimate(value: Floats, sampled: Floats) -> Estimate:
    """An estimate with its 95% interval, for at least two campaigns and enough finite samples."""
    finite = sampled[np.isfinite(sampled)]
    if not np.isfinite(value):
        return Estimate(None, None, None)
    if len(finite) < SAMPLES / 2 or finite.min() == finite.max():
        return Estimate(float(value), None, None)
    low, high = np.quantile(finite, [0.025, 0.975])
    return Estimate(float(value), float(low), float(high))
