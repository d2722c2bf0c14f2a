"""Tests whether the canary is significantly worse than the champion: errors, latency, answers and outcomes."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation import bootstrap
from models.evaluation.metrics import Metric
from serving.rollout.plan import Tolerance

#: Chance of calling an equal canary worse while a step still waits: it is asked often, so it must be rare.
EARLY = 1e-4
#: The same when a step is judged.
FINAL = 0.01
#: Requests before latency says anything, and outcomes before the metric does.
ENOUGH = 30
#: Answers that differ by less than this share of the champion's mean answer are alike.
ALIKE = 0.01
SEED = 0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """Requests of one version: number, errors, and latency quantiles.

    A range holds one-sided 95% bounds of the quantile, from its order statistics.
    """

    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    p50_range: tuple[float, float]
    p95_range: tuple[float, float]

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests if self.requests else 0.0

    @classmethod
    def of(cls, attempts: pd.DataFrame) -> "Side":
        """Summarize a frame of attempts (`ok`, `latency_ms`). Failed attempts count in latency."""
        if attempts.empty:
            return cls(0, 0, 0.0, 0.0, (0.0, 0.0), (0.0, 0.0))
        (p50, *r50), (p95, *r95) = (_quantile(attempts["latency_ms"], level) for level in (0.5, 0.95))
        return cls(len(attempts), int((~attempts["ok"]).sum()), p50, p95, (r50[0], r50[1]), (r95[0], r95[1]))


def _quantile(times: "pd.Series[float]", level: float) -> tuple[float, float, float]:
    """A quantile, and its range at 1.645 standard deviations of the rank."""
    away = 1.645 * (level * (1 - level) / len(times)) ** 0.5
    value, low, high = np.quantile(times, [level, max(0.0, level - away), min(1.0, level + away)])
    return float(value), float(low), float(high)


@dataclass(frozen=True)
class LabelledAnswers:
    """Answers with known outcomes, on one index."""

    truth: pd.DataFrame
    answers: pd.DataFrame


@dataclass(frozen=True)
class CanaryVerdict:
    """The decision, its reason and figures."""

    decision: Literal["go on", "roll back", "too few requests"]
    reason: str
    figures: dict[str, Any]


def while_waiting(canary: Side, champion: Side, tolerance: Tolerance) -> str | None:
    """The reason to roll back early: significantly more errors or latency. None otherwise."""
    worse = _errors(canary, champion, tolerance, EARLY)
    if worse is None and canary.requests >= ENOUGH and champion.requests >= ENOUGH:
        limit = _limit(champion.p95_range[1], tolerance)
        if canary.p50_range[0] > limit:
            worse = f"latency: half the canary's requests take over {canary.p50_ms:.1f} ms, the limit is {limit:.1f} ms"
    return worse


def at_end(
    canary: Side,
    champion: Side,
    answers: tuple["pd.Series[Any]", "pd.Series[Any]"],
    outcomes: tuple[LabelledAnswers, LabelledAnswers],
    metric: Metric,
    tolerance: Tolerance,
    spent: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> CanaryVerdict:
    """The verdict on a step with enough requests. Pairs are (canary, champion).

    Args:
        spent: what decisions cost and returned (`cost`, `value`, `conversions`, a row each), where some were made.
    """
    shift, noise = distance(*answers)
    figures: dict[str, Any] = {"shift": round(shift, 4), "shift_noise": round(noise, 4)}
    worse = [_errors(canary, champion, tolerance, FINAL), _latency(canary, champion, tolerance)]
    if shift > tolerance.shift + noise:
        worse.append(f"answers: shifted by {shift:.3f} (KS), more than {tolerance.shift} and chance ({noise:.3f})")
    if min(len(side.truth) for side in outcomes) >= ENOUGH:
        gained = gain(metric, *outcomes)
        figures[metric.name] = {
            "canary": metric.measure(outcomes[0].truth, outcomes[0].answers),
            "champion": metric.measure(outcomes[1].truth, outcomes[1].answers),
            "gain": gained.value,
            "low": gained.low,
            "high": gained.high,
            "rows": [len(side.truth) for side in outcomes],
        }
        if gained.high < -tolerance.outcome:
            worse.append(f"{metric.name}: {gained.value:+.4f}, at best {gained.high:+.4f}, beyond {tolerance.outcome}")
    if spent is not None and _tells(*spent):
        earned = returns(*spent)
        figures["value_per_spend"] = {"gain": earned.value, "low": earned.low, "high": earned.high}
        if earned.high < -tolerance.outcome:
            seen = f"{earned.value:+.1%}, at best {earned.high:+.1%}"
            worse.append(f"value per spend: {seen}, beyond {tolerance.outcome}")
    reasons = [reason for reason in worse if reason]
    if reasons:
        return CanaryVerdict("roll back", "; ".join(reasons), figures)
    return CanaryVerdict("go on", "not worse on errors, latency, answers and outcomes", figures)


def distance(canary: "pd.Series[Any]", champion: "pd.Series[Any]") -> tuple[float, float]:
    """Two-sample Kolmogorov-Smirnov distance, and its critical value at 5%.

    Answers closer than `ALIKE` of the champion's mean count as equal: for customers worth almost nothing, ranks of any
    two models differ without consequence.
    """
    a, b = (np.sort(one.dropna().to_numpy(dtype=float)) for one in (canary, champion))
    if not len(a) or not len(b):
        return (0.0 if len(a) == len(b) else 1.0), 0.0
    near, points = ALIKE * float(np.abs(b[np.isfinite(b)]).mean() if np.isfinite(b).any() else 0.0), np.r_[a, b]
    over = (_below(one, points) - _below(other, points + near) for one, other in ((a, b), (b, a)))
    return max(0.0, *(float(one.max()) for one in over)), 1.358 * float(np.sqrt(1 / len(a) + 1 / len(b)))


def _below(ordered: Floats, points: Floats) -> Floats:
    """The share of values at or below each point."""
    return np.asarray(np.searchsorted(ordered, points, side="right") / len(ordered))


def gain(metric: Metric, canary: LabelledAnswers, champion: LabelledAnswers) -> bootstrap.Interval:
    """Improvement of the canary with its 98% interval, which for an equal one is below 0 with probability `FINAL`."""
    value = metric.gain(metric.measure(canary.truth, canary.answers), metric.measure(champion.truth, champion.answers))
    ours, theirs = ((side.truth, side.answers) for side in (canary, champion))
    chance = bootstrap.gains_by_chance(metric, ours, theirs, SEED)
    high, low = value - np.nanquantile(chance, [FINAL, 1 - FINAL])
    return bootstrap.Interval(value, float(low), float(high))


def returns(canary: pd.DataFrame, champion: pd.DataFrame) -> bootstrap.Interval:
    """Relative improvement of the canary's value per spend, with its 95% interval.

    Value per spend is a ratio of sums over bids; its variance is by linearization (delta method).
    """
    (ours, our_variance), (theirs, their_variance) = (_per_spend(side) for side in (canary, champion))
    gained, away = ours - theirs, 1.96 * (our_variance + their_variance) ** 0.5
    return bootstrap.Interval(gained / theirs, (gained - away) / theirs, (gained + away) / theirs)


def _tells(canary: pd.DataFrame, champion: pd.DataFrame) -> bool:
    """Whether both have cost and enough conversions to compare."""
    both = [side[["cost", "value", "conversions"]].sum() for side in (canary, champion)]
    earning = min(float(one[["cost", "value"]].min()) for one in both) > 0
    return earning and sum(int(one["conversions"]) for one in both) >= ENOUGH


def _per_spend(bids: pd.DataFrame) -> tuple[float, float]:
    """Value per cost, and its variance."""
    cost = float(bids["cost"].sum())
    ratio = float(bids["value"].sum()) / cost
    return ratio, float(((bids["value"] - ratio * bids["cost"]) ** 2).sum()) / cost**2


def _errors(canary: Side, champion: Side, tolerance: Tolerance, chance: float) -> str | None:
    from scipy.special import bdtrc  # scipy.stats says the same, and takes half a second to import

    allowed = min(1.0, champion.error_rate + tolerance.errors)
    if canary.errors and bdtrc(canary.errors - 1, canary.requests, allowed) < chance:
        return (
            f"errors: {canary.errors} of the canary's {canary.requests} requests failed "
            f"({canary.error_rate:.1%}, champion {champion.error_rate:.1%})"
        )
    return None


def _latency(canary: Side, champion: Side, tolerance: Tolerance) -> str | None:
    for name, ours, our_range, theirs, their_range in (
        ("median", canary.p50_ms, canary.p50_range, champion.p50_ms, champion.p50_range),
        ("95th percentile", canary.p95_ms, canary.p95_range, champion.p95_ms, champion.p95_range),
    ):
        limit = _limit(their_range[1], tolerance)
        if our_range[0] > limit:
            return f"latency: {name} {ours:.1f} ms, the limit is {limit:.1f} ms (champion {theirs:.1f} ms)"
    return None


def _limit(champion_ms: float, tolerance: Tolerance) -> float:
    return tolerance.latency_ratio * champion_ms + tolerance.latency_floor_ms
