"""How long a customer is expected to stay, from its probability of churning within the horizon."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: Days that are looked ahead: three years, beyond which a constant hazard is not believed.
SPAN = 3 * 365.0


def expected_days(probability: Array, horizon_days: float) -> Array:
    """Expected days to churn within the coming three years.

    A constant hazard (exponential survival; Cox and Oakes, "Analysis of Survival Data", 1984) is the one that a
    probability over a single horizon determines: p = 1 - exp(-hazard * horizon). The mean is restricted to `SPAN`
    (Royston and Parmar, "Restricted mean survival time", 2013): without an end, loyal customers would stay for ages.
    Falls strictly as `probability` rises.
    """
    hazard = -np.log1p(-probability) / horizon_days
    return np.asarray(-np.expm1(-hazard * SPAN) / hazard)
