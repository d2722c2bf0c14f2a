"""Metrics, which compare a frame of truth with a frame of answers.

They accept many sets of row weights at once: a bootstrap sample is the number of draws of each row, so a thousand
samples cost a few passes over one matrix, including ties and ranks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
#: `(truth, answers, weights) -> figures`, one for each line of `weights`, which are samples by rows.
Resample = Callable[[pd.DataFrame, pd.DataFrame, Array], Array]
#: Bins of equal mass for the expected calibration error.
BINS = 10
#: Probabilities are kept this far from 0 and 1 where their logarithm is taken.
EPSILON = 1e-15


@dataclass(frozen=True)
class Metric:
    """A named metric.

    Attributes:
        measure: `(truth, answers) -> float`, of frames on one index.
        resample: the figures of samples; None where the metric needs real rows.
        label, answer: the columns it compares, where it compares two columns.
        band: the columns of the prediction interval it judges, where it judges one.
        unit: label column that identifies dependent rows, which are resampled together: `weights` then has a column for
            each of its values, in their order.
    """

    name: str
    measure: Callable[[pd.DataFrame, pd.DataFrame], float]
    higher_is_better: bool = True
    resample: Resample | None = None
    label: str = ""
    answer: str = ""
    band: tuple[str, str] | None = None
    unit: str = ""

    @property
    def answers(self) -> frozenset[str]:
        """The answers that it is known to need."""
        return frozenset({self.answer, *(self.band or ())} - {""})

    def gain(self, candidate: float, other: float) -> float:
        """Improvement of `candidate` over `other`; negative where it is worse."""
        return (candidate - other) if self.higher_is_better else (other - candidate)


def auc(label: str, answer: str) -> Metric:
    """Area under the ROC curve: the probability that a positive ranks above a negative, ties counted half."""
    return _metric("auc", _auc, label, answer)


def average_precision(label: str, answer: str) -> Metric:
    """Area under the precision-recall curve, as a sum over steps."""
    return _metric("average_precision", _average_precision, label, answer)


def log_loss(label: str, answer: str) -> Metric:
    """Mean negative log-likelihood of a probability, in nats."""
    return _metric("log_loss", _mean_of(_log_losses), label, answer, higher_is_better=False)


def brier(label: str, answer: str) -> Metric:
    """Mean squared error of a probability (Brier, 1950)."""
    return _metric("brier", _mean_of(_squared), label, answer, higher_is_better=False)


def ece(label: str, answer: str) -> Metric:
    """Expected calibration error with bins of equal mass: mean gap of predicted probability and observed rate."""
    return _metric("ece", _ece, label, answer, higher_is_better=False)


def gini(label: str, answer: str) -> Metric:
    """Normalised Gini: the area between the Lorenz curve of the truth ranked by the answer and the diagonal, as a
    share of that of the truth ranked by itself. Tied answers share their value evenly."""
    return _metric("gini", _gini, label, answer)


def spearman(label: str, answer: str) -> Metric:
    """Correlation of ranks, ties at their middle rank."""
    return _metric("spearman", _spearman, label, answer)


def mae(label: str, answer: str) -> Metric:
    """Mean absolute error, in the label's unit."""
    return _metric("mae", _mean_of(_absolute), label, answer, higher_is_better=False)


def rmse(label: str, answer: str) -> Metric:
    """Root of the mean squared error, in the label's unit."""
    squared = _mean_of(_squared)

    def weighted(truth: Array, answers: Array, weights: Array) -> Array:
        error: Array = np.sqrt(squared(truth, answers, weights))
        return error

    return _metric("rmse", weighted, label, answer, higher_is_better=False)


def lift(label: str, answer: str, share: float = 0.1) -> Metric:
    """Mean label of the best-ranked `share` of rows over the overall mean; ties count in proportion."""

    def weighted(truth: Array, answers: Array, weights: Array) -> Array:
        return _lift(truth, answers, weights, share)

    return _metric(f"lift_{share:.0%}".replace("%", ""), weighted, label, answer)


def coverage(label: str, low: str, high: str, level: float) -> Metric:
    """Share of rows whose truth is within `[low, high]`; should equal `level`, so judge it by a gate."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        inside = truth[label].between(answers[low], answers[high]).to_numpy(dtype=float)
        share: Array = weights @ inside / weights.sum(axis=1)
        return share

    return Metric(f"coverage{level * 100:.0f}", _once(resample), resample=resample, label=label, band=(low, high))


Weighted = Callable[[Array, Array, Array], Array]


def _metric(name: str, weighted: Weighted, label: str, answer: str, higher_is_better: bool = True) -> Metric:
    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        return weighted(truth[label].to_numpy(dtype=float), answers[answer].to_numpy(dtype=float), weights)

    return Metric(name, _once(resample), higher_is_better, resample, label, answer)


def _once(resample: Resample) -> Callable[..., float]:
    def measure(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
        return float(resample(truth, answers, np.ones((1, len(truth))))[0])

    return measure


def _mean_of(loss: Callable[[Array, Array], Array]) -> Weighted:
    def weighted(truth: Array, answers: Array, weights: Array) -> Array:
        mean: Array = weights @ loss(truth, answers) / weights.sum(axis=1)
        return mean

    return weighted


def _squared(truth: Array, answers: Array) -> Array:
    return (truth - answers) ** 2


def _absolute(truth: Array, answers: Array) -> Array:
    return np.abs(truth - answers)


def _log_losses(truth: Array, answers: Array) -> Array:
    chance = np.clip(answers, EPSILON, 1 - EPSILON)
    return -(truth * np.log(chance) + (1 - truth) * np.log1p(-chance))


class _Ranking:
    """Rows in ascending order of a score, equal scores as one group."""

    def __init__(self, score: Array) -> None:
        self.order = np.argsort(score, kind="stable")
        self.starts = np.flatnonzero(np.diff(score[self.order], prepend=-np.inf))

    def sums(self, weights: Array) -> Array:
        """The total of each line of `weights` in each group."""
        return np.asarray(np.add.reduceat(weights[:, self.order], self.starts, axis=1), dtype=float)

    def spread(self, groups: Array) -> Array:
        """Expand values per group to values per row, in the original order."""
        sizes = np.diff(np.append(self.starts, len(self.order)))
        rows = np.empty((len(groups), len(self.order)))
        rows[:, self.order] = np.repeat(groups, sizes, axis=1)
        return rows


def _auc(truth: Array, answers: Array, weights: Array) -> Array:
    ones, zeros = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    zeros = zeros[np.argsort(answers[zeros], kind="stable")]
    passed = np.zeros((len(weights), len(zeros) + 1))
    np.cumsum(weights[:, zeros], axis=1, out=passed[:, 1:])
    first, last = (np.searchsorted(answers[zeros], answers[ones], side=side) for side in ("left", "right"))
    positives = weights[:, ones]
    # Twice the pairs that are ranked rightly, as ties count half.
    right = np.einsum("ij,ij->i", positives, passed[:, first]) + np.einsum("ij,ij->i", positives, passed[:, last])
    return _ratio(right / 2, positives.sum(axis=1) * passed[:, -1])


def _average_precision(truth: Array, answers: Array, weights: Array) -> Array:
    ranking = _Ranking(-answers)
    found, taken = ranking.sums(weights * truth), ranking.sums(weights)
    precision = _ratio(np.cumsum(found, axis=1), np.cumsum(taken, axis=1))
    return _ratio(np.nansum(found * precision, axis=1), found.sum(axis=1))


def _ece(truth: Array, answers: Array, weights: Array) -> Array:
    bins = equal_bins(answers)
    gaps = weights * (truth - answers)
    off = sum(np.abs(gaps[:, bins == place].sum(axis=1)) for place in range(bins.max() + 1))
    return np.asarray(off / weights.sum(axis=1), dtype=float)


def equal_bins(answers: Array) -> npt.NDArray[np.intp]:
    """The bin of each answer, of `BINS` of equal mass; equal answers are in one."""
    edges = np.unique(np.quantile(answers, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, answers, side="right")


def _lorenz(truth: Array, by: Array, weights: Array) -> Array:
    """Gini of `truth` ranked by `by`: 1 less twice the area under the Lorenz curve."""
    ranking = _Ranking(by)
    rows, value = ranking.sums(weights), ranking.sums(weights * truth)
    height = np.cumsum(value, axis=1) - value / 2
    return 1 - 2 * _ratio((rows * height).sum(axis=1), rows.sum(axis=1) * value.sum(axis=1))


def _gini(truth: Array, answers: Array, weights: Array) -> Array:
    return _ratio(_lorenz(truth, answers, weights), _lorenz(truth, truth, weights))


def _spearman(truth: Array, answers: Array, weights: Array) -> Array:
    ranks = []
    for score in (truth, answers):
        ranking = _Ranking(score)
        groups = ranking.sums(weights)
        rank = ranking.spread(np.cumsum(groups, axis=1) - groups / 2)
        # The mean of middle ranks is half the total weight, whatever the ties.
        ranks.append(rank - weights.sum(axis=1, keepdims=True) / 2)
    left, right = ranks
    spread = (weights * left**2).sum(axis=1) * (weights * right**2).sum(axis=1)
    return _ratio((weights * left * right).sum(axis=1), np.sqrt(spread))


def _lift(truth: Array, answers: Array, weights: Array, share: float) -> Array:
    ranking = _Ranking(-answers)
    rows, found = ranking.sums(weights), ranking.sums(weights * truth)
    room = share * rows.sum(axis=1, keepdims=True) - (np.cumsum(rows, axis=1) - rows)
    taken = np.nan_to_num(_ratio(np.clip(room, 0, rows), rows))
    return _ratio((taken * found).sum(axis=1), share * found.sum(axis=1))


def _ratio(above: Any, below: Any) -> Array:
    """`above / below`, NaN where there is nothing to divide by (a sample of one class, say)."""
    below = np.asarray(below, dtype=float)
    return np.asarray(np.divide(above, below, out=np.full(below.shape, np.nan), where=below != 0))
