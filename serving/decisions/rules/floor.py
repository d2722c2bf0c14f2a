"""Does the policy bring less value per spend than the baseline? A test that may be looked at after every conversion.

Conversions of an arm are a compound Poisson process in what it spent, so the variance of their value is the sum of
squares; it is pooled, as the two are equal if nothing is wrong. The bound is a normal-mixture confidence sequence
(Robbins 1970; Waudby-Smith et al., "Time-uniform central limit theory", 2021): it holds at all times together.
"""

from math import log, sqrt

from serving.decisions.params import BaselineFloor
from serving.decisions.records import ArmOutcome


def worse(policy: ArmOutcome, baseline: ArmOutcome, params: BaselineFloor) -> str | None:
    """What is wrong with the policy, in words; None while it may be as good as the baseline."""
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
    """How many standard errors are within chance at all times, narrowest around three times the least conversions."""
    tight = -2 * log(params.chance)
    mixture = (tight + log(tight) + 1) / (3 * params.conversions)
    scaled = conversions * mixture
    return sqrt(2 * (1 + 1 / scaled) * log(sqrt(scaled + 1) / params.chance))
