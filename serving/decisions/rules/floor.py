"""Tests whether the policy brings less value per spend than the baseline; valid after every conversion.

The conversions of an arm are a compound Poisson process in its spend, so the variance of their value is the sum of
squares; it is pooled, as both arms are equal under the null hypothesis. The bound is a normal-mixture confidence
sequence (Robbins 1970; Waudby-Smith et al., "Time-uniform central limit theory", 2021), valid at all times together.
"""

from math import log, sqrt

from serving.decisions.params import BaselineFloor
from serving.decisions.records import ArmOutcome


def worse(policy: ArmOutcome, baseline: ArmOutcome, params: BaselineFloor) -> str | None:
    """Why the policy is significantly worse; None where it is not."""
    conversions = policy.conversions + baseline.conversions
    squares = policy.value_squared + baseline.value_squared
    if conversions < params.conversions or min(policy.cost, baseline.cost, squares) <= 0:
        return None
    ours, theirs = policy.value / policy.cost, baseline.value / baseline.cost
    error = sqrt(squares / (policy.cost + baseline.cost) * (1 / policy.cost + 1 / baseline.cost))
    if theirs - ours <= error * width(conversions, params):
        return None
    return f"it brought {ours:.4g} per unit spent, the baseline {theirs:.4g}, over {conversions} conversions"


def width(conversions: int, params: BaselineFloor) -> float:
    """Half-width of the sequence in standard errors, narrowest around three times the minimum of conversions."""
    tight = -2 * log(params.chance)
    mixture = (tight + log(tight) + 1) / (3 * params.conversions)
    scaled = conversions * mixture
    return sqrt(2 * (1 + 1 / scaled) * log(sqrt(scaled + 1) / params.chance))
