"""Is an effect compatible with the data? Conformal inference for one treated series (Chernozhukov, Wüthrich and Zhu,
"An exact and robust conformal inference method for counterfactual and synthetic controls", 2021).

Under a supposed effect, the treated days without it are days like any others: the control is fitted on all of them,
and the mean residual of the treated block is compared with that of all blocks of as many days, around the end. Blocks
keep the order of days, so that neighbours may be alike.
"""

import numpy as np

from models.evaluation.bootstrap import Interval
from models.evaluation.geo.synthetic import fit
from models.evaluation.metrics import Array

#: Steps by which a bound is halved in, and times that its bracket is doubled.
HALVINGS, DOUBLINGS = 12, 12
SHUFFLES = 2000


def p_value(treated: Array, donors: Array, days: int, effect: float, penalty: float) -> float:
    """Share of the blocks that stand out as much as the last `days` do, if these had `effect` a day."""
    without = treated.copy()
    without[-days:] -= effect
    residuals = without - fit(without, donors, penalty).predict(donors)
    around = np.concatenate([[0.0], np.cumsum(np.concatenate([residuals, residuals[: days - 1]]))])
    blocks = np.abs(around[days:] - around[:-days])
    observed = blocks[len(residuals) - days]
    return float(np.mean(blocks >= observed * (1 - 1e-9)))


def shuffled_p_value(treated: Array, donors: Array, days: int, penalty: float) -> float:
    """The p-value of no effect that GeoLift gives: size of the residuals, days shuffled as if they knew no order.

    It finds more, and is too sure of it where neighbouring days are alike.
    """
    sizes = np.abs(treated - fit(treated, donors, penalty).predict(donors))
    drawn = np.random.default_rng(0).permuted(np.tile(sizes, (SHUFFLES, 1)), axis=1)[:, -days:].sum(axis=1)
    return float((1 + np.sum(drawn >= sizes[-days:].sum())) / (1 + SHUFFLES))


def interval(treated: Array, donors: Array, days: int, found: float, penalty: float, alpha: float) -> Interval:
    """`found` with the effects that are not refused at `alpha`; infinite where the days before are too few."""
    if len(treated) * alpha < 1:
        return Interval(found, float("-inf"), float("inf"))
    step = max(float(np.std(treated - fit(treated, donors, penalty).predict(donors))), 1e-9 * abs(found), 1e-12)
    low, high = (_bound(treated, donors, days, found, penalty, alpha, sign * step) for sign in (-1, 1))
    return Interval(found, low, high)


def _bound(treated: Array, donors: Array, days: int, found: float, penalty: float, alpha: float, step: float) -> float:
    """The effect beyond `found`, in the direction of `step`, from which on effects are refused."""
    for _ in range(DOUBLINGS):
        if p_value(treated, donors, days, found + step, penalty) <= alpha:
            break
        step *= 2
    else:
        return float(np.copysign(np.inf, step))
    inside, outside = 0.0, step
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if p_value(treated, donors, days, found + middle, penalty) <= alpha:
            outside = middle
        else:
            inside = middle
    return found + outside
