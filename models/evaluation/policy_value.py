"""Off-policy evaluation: the value of a policy from the log of another, with intervals over the logged rounds.

Inverse propensity scoring (Horvitz and Thompson, 1952) is unbiased where propensities are right; self-normalised, it
trades a little bias for much variance (SNIPS: Swaminathan and Joachims, 2015); the doubly robust estimate leans on a
model of the reward, and is right if that or the propensities are (Dudík, Langford and Li, 2011). Weights are not
clipped: that biases towards the logging policy, and a release is refused where there are too few effective rounds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.evaluation import bootstrap
from models.evaluation.bootstrap import Interval
from models.evaluation.gates import Verdict
from models.evaluation.metrics import Array, Metric

#: Effective rounds below which an interval is not to be trusted. Of two policies worth the same, one is found better in
#: 1 of 40 logs if the interval keeps its word; in simulation it was 1 of 25 with 400 of them, 1 of 14 with 100.
EFFECTIVE = 400
#: A gate on logged decisions: `(log, candidate, champion, seed) -> Verdict`, of frames as `check` says.
LogGate = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame, int], Verdict]
#: Standard errors by which the mean weight may be off 1.
OFF = 4.0


def check(log: pd.DataFrame, policy: pd.DataFrame) -> None:
    """Validate the input of an estimate.

    Args:
        log: one row per round: `reward` (any unit), `propensity` of the logged action, in (0, 1].
        policy: the evaluated policy on the same index: `probability` of the logged action, in [0, 1]; for the doubly
            robust estimate also `expected_logged`, the modelled reward of the logged action, and `expected`, the sum
            over actions of the policy's probability times the modelled reward.

    Raises:
        ValueError: a column is missing, not finite or not a probability; names it and the first such round.
    """
    if not len(log) or not log.index.equals(policy.index):
        raise ValueError(f"expected rounds on one index, got {len(log)} logged and {len(policy)} of the policy")
    for frame, names in ((log, ("reward", "propensity")), (policy, ("probability",))):
        missing = [name for name in names if name not in frame]
        if missing:
            raise ValueError(f"policy value: missing columns {missing}")
    for name, values in {**log[["reward", "propensity"]], **policy}.items():
        _every(str(name), values, np.isfinite(values.to_numpy(dtype=float)), "a finite number")
    _every("propensity", log["propensity"], log["propensity"].gt(0) & log["propensity"].le(1), "above 0, at most 1")
    _every("probability", policy["probability"], policy["probability"].between(0, 1), "from 0 to 1")


def _every(name: str, values: "pd.Series[float]", holds: "Array | pd.Series[bool]", what: str) -> None:
    wrong = np.flatnonzero(~np.asarray(holds, dtype=bool))
    if len(wrong):
        at, value = values.index[wrong[0]], values.iloc[wrong[0]]
        raise ValueError(
            f"policy value: {name} must be {what}; it is {value} in round {at}, and in {len(wrong)} in all"
        )


def weight(log: pd.DataFrame, policy: pd.DataFrame) -> Array:
    """The importance weight of each logged round."""
    weights: Array = policy["probability"].to_numpy(dtype=float) / log["propensity"].to_numpy(dtype=float)
    return weights


def effective(weights: Array) -> float:
    """Effective sample size (Kish, 1965): (sum of weights)^2 / sum of squared weights."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _mean(log: pd.DataFrame, policy: pd.DataFrame) -> tuple[Array, Array]:
    return weight(log, policy) * log["reward"].to_numpy(dtype=float), np.ones(len(log))


def _normalised(log: pd.DataFrame, policy: pd.DataFrame) -> tuple[Array, Array]:
    return weight(log, policy) * log["reward"].to_numpy(dtype=float), weight(log, policy)


def _corrected(log: pd.DataFrame, policy: pd.DataFrame) -> tuple[Array, Array]:
    missed = log["reward"].to_numpy(dtype=float) - policy["expected_logged"].to_numpy(dtype=float)
    return policy["expected"].to_numpy(dtype=float) + weight(log, policy) * missed, np.ones(len(log))


def _metric(name: str, terms: Callable[[pd.DataFrame, pd.DataFrame], tuple[Array, Array]]) -> Metric:
    """An estimator as a ratio of two sums over rounds."""

    def resample(log: pd.DataFrame, policy: pd.DataFrame, drawn: Array) -> Array:
        above, below = terms(log, policy)
        total = drawn @ below
        value: Array = np.divide(drawn @ above, total, out=np.full(len(drawn), np.nan), where=total > 0)
        return value

    return Metric(name, lambda log, policy: float(resample(log, policy, np.ones((1, len(log))))[0]), resample=resample)


#: Estimators of a policy's mean reward a round, of frames as `check` says.
IPS = _metric("ips", _mean)
SNIPS = _metric("snips", _normalised)
DOUBLY_ROBUST = _metric("doubly_robust", _corrected)


@dataclass(frozen=True)
class PolicyValue:
    """A policy's mean reward per round by three estimators, each with its 95% interval.

    Attributes:
        doubly_robust: None without a model of the reward.
        effective: effective sample size.
        mean_weight: near 1 where the propensities are right and the log covers all actions of the policy.
    """

    ips: Interval
    snips: Interval
    doubly_robust: Interval | None
    effective: float
    mean_weight: float


def estimate(log: pd.DataFrame, policy: pd.DataFrame, seed: int) -> PolicyValue:
    """The value of a policy from the log of another; raises `ValueError` as `check` does."""
    check(log, policy)
    weights = weight(log, policy)
    return PolicyValue(
        ips=bootstrap.interval(IPS, log, policy, seed),
        snips=bootstrap.interval(SNIPS, log, policy, seed),
        doubly_robust=bootstrap.interval(DOUBLY_ROBUST, log, policy, seed) if _modelled(policy) else None,
        effective=effective(weights),
        mean_weight=float(weights.mean()),
    )


def value_above_champion(log: pd.DataFrame, candidate: pd.DataFrame, champion: pd.DataFrame, seed: int) -> Verdict:
    """A gate: the candidate's value is significantly above the champion's on the same logged rounds.

    Uses the doubly robust estimate where both have a model of the reward, else the self-normalised one. For rounds that
    the champion logged, its `probability` is the logged `propensity`. Raises `ValueError` as `check` does.
    """
    check(log, candidate)
    check(log, champion)
    metric = DOUBLY_ROBUST if _modelled(candidate) and _modelled(champion) else SNIPS
    gain = bootstrap.gain(metric, log, candidate, champion, seed)
    weights = [weight(log, policy) for policy in (candidate, champion)]
    rounds = min(map(effective, weights))
    doubts = [
        f"the weights of the {who} average {one.mean():.3g}, not 1: its actions were not all tried, or the "
        "propensities are wrong"
        for who, one in zip(("candidate", "champion"), weights, strict=True)
        if _off(one)
    ]
    if rounds < EFFECTIVE:
        doubts.append(f"only {rounds:.0f} effective rounds of {EFFECTIVE}")
    reason = (
        f"value a round above the champion by {gain.value:.4g} ({metric.name}), 95% interval {gain.low:.4g} to "
        f"{gain.high:.4g}, from {rounds:.0f} effective rounds; the lower bound must be above 0"
    )
    figures = {"gain": gain.value, "low": gain.low, "high": gain.high, "effective": rounds}
    return Verdict("value_above_champion", gain.low > 0 and not doubts, "; ".join([*doubts, reason]), figures)


def value_not_below_champion(log: pd.DataFrame, candidate: pd.DataFrame, champion: pd.DataFrame, seed: int) -> Verdict:
    """A gate: the candidate's value is not significantly below the champion's on the same logged rounds.

    For policies that share their evidence, so that most of their choices are the same and a gain is rarely shown.
    """
    gained = value_above_champion(log, candidate, champion, seed)
    high = gained.figures["high"]
    reason = f"{gained.reason.removesuffix('; the lower bound must be above 0')}; the upper bound must not be below 0"
    return Verdict("value_not_below_champion", high >= 0, reason, gained.figures)


def _modelled(policy: pd.DataFrame) -> bool:
    return {"expected", "expected_logged"} <= set(policy.columns)


def _off(weights: Array) -> bool:
    """Whether the mean weight differs significantly from 1."""
    error = float(weights.std()) / len(weights) ** 0.5
    return bool(abs(weights.mean() - 1) > OFF * error + 1e-9)
