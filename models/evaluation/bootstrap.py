"""Confidence intervals by the percentile bootstrap over rows (Efron, 1979), paired where two models are compared.

With few rows percentile intervals are too narrow; they are expanded by the ratio of Student's t to the normal
distribution (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015), to infinity beyond the samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.evaluation.metrics import Array, Metric, Resample

SAMPLES = 500
#: Cells of the weight matrix held at a time: 32 MB of doubles.
CELLS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A figure and its 95% interval: infinite with too few rows, NaN where undefined in most samples."""

    value: float
    low: float
    high: float


def interval(metric: Metric, truth: pd.DataFrame, answers: pd.DataFrame, seed: int) -> Interval:
    """`metric` of `answers`, with its interval over samples of rows."""
    return intervals(metric, truth, {"one": answers}, seed)["one"]


def intervals(
    metric: Metric, truth: pd.DataFrame, answers: Mapping[str, pd.DataFrame], seed: int
) -> dict[str, Interval]:
    """The same of several models, on the same samples."""
    sampled, count = _samples(metric, truth, list(answers.values()), seed), _count(metric, truth)
    return {
        name: _interval(metric.measure(truth, one), drawn, count)
        for (name, one), drawn in zip(answers.items(), sampled, strict=True)
    }


def gains(
    metric: Metric, truth: pd.DataFrame, candidate: pd.DataFrame, others: Mapping[str, pd.DataFrame], seed: int
) -> dict[str, Interval]:
    """Improvement of `candidate` over each of `others`, paired on the same samples so that common noise cancels."""
    value, count = metric.measure(truth, candidate), _count(metric, truth)
    ours, *theirs = _samples(metric, truth, [candidate, *others.values()], seed)
    sign = 1 if metric.higher_is_better else -1
    return {
        name: _interval(metric.gain(value, metric.measure(truth, other)), sign * (ours - drawn), count)
        for (name, other), drawn in zip(others.items(), theirs, strict=True)
    }


def gain(metric: Metric, truth: pd.DataFrame, candidate: pd.DataFrame, other: pd.DataFrame, seed: int) -> Interval:
    """Improvement of `candidate` over one other."""
    return gains(metric, truth, candidate, {"other": other}, seed)["other"]


def samples(metric: Metric, truth: pd.DataFrame, answers: pd.DataFrame, seed: int) -> Array:
    """`metric` on each of `SAMPLES` samples of rows, or of its units, drawn with replacement; one seed draws the same
    samples."""
    return _samples(metric, truth, [answers], seed)[0]


def gains_by_chance(
    metric: Metric, one: tuple[pd.DataFrame, pd.DataFrame], other: tuple[pd.DataFrame, pd.DataFrame], seed: int
) -> Array:
    """How much better `one` would be than `other` if their rows, or units, were dealt to them at random.

    A permutation test (Fisher, 1935), for two models that answered different rows (truth and answers each). It holds
    its level for any metric and however few rows; a bootstrap of few rows varies too little where labels are rare.
    """
    truth, answers = (pd.concat(frames, ignore_index=True) for frames in zip(one, other, strict=True))
    count = len(one[0])
    if metric.unit:  # one that both have rows of is two
        codes, others = (pd.factorize(side[0][metric.unit], sort=True)[0] for side in (one, other))
        count = int(codes.max()) + 1
        truth[metric.unit] = np.concatenate([codes, others + count])
    total = truth[metric.unit].nunique() if metric.unit else len(truth)
    resample = metric.resample or _measured(metric)
    found = list[Array]()
    for dealt in _dealt(count, total, seed):
        found.append(resample(truth, answers, dealt) - resample(truth, answers, 1 - dealt))
    return np.concatenate(found) * (1 if metric.higher_is_better else -1)


def _dealt(count: int, total: int, seed: int) -> Iterator[Array]:
    """1 for each of `count` rows of `total` that are dealt to one of two, 0 for the others, some samples at a time."""
    rng = np.random.default_rng(seed)
    at_once = min(SAMPLES, max(1, CELLS // total))
    first = np.zeros(total)
    first[:count] = 1
    for start in range(0, SAMPLES, at_once):
        yield rng.permuted(np.tile(first, (min(at_once, SAMPLES - start), 1)), axis=1)


def _samples(metric: Metric, truth: pd.DataFrame, answers: Sequence[pd.DataFrame], seed: int) -> list[Array]:
    """The samples of several models: drawing them takes as long as measuring one."""
    count = truth[metric.unit].nunique() if metric.unit else len(truth)
    resample = metric.resample or _measured(metric)
    parts = [[resample(truth, one, drawn) for one in answers] for drawn in _weights(count, seed)]
    return [np.concatenate(found) for found in zip(*parts, strict=True)]


def _measured(metric: Metric) -> Resample:
    """Measures the drawn rows themselves, for a metric that needs real ones."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        drawn = (np.repeat(np.arange(len(truth)), line.astype(int)) for line in weights)
        return np.array([metric.measure(truth.iloc[rows], answers.iloc[rows]) for rows in drawn])

    return resample


def _weights(rows: int, seed: int) -> Iterator[Array]:
    """How often each row was drawn, some samples at a time."""
    rng = np.random.default_rng(seed)
    at_once = min(SAMPLES, max(1, CELLS // rows))
    for start in range(0, SAMPLES, at_once):
        count = min(at_once, SAMPLES - start)
        drawn = rng.integers(0, rows, (count, rows)) + np.arange(count)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(float)


def _count(metric: Metric, truth: pd.DataFrame) -> int:
    """What there is to draw from: units or rows; of a label that is 0 or 1, the rows of the rarer."""
    if metric.unit:
        return int(truth[metric.unit].nunique())
    if metric.label and truth[metric.label].isin([0, 1]).all():
        ones = int(truth[metric.label].sum())
        return min(ones, len(truth) - ones)
    return len(truth)


def _interval(value: float, sampled: Array, count: int) -> Interval:
    defined = sampled[~np.isnan(sampled)]
    if len(defined) < SAMPLES / 2:
        return Interval(value, float("nan"), float("nan"))
    level = _level(count)
    if level * len(defined) < 1:
        return Interval(value, float("-inf"), float("inf"))
    low, high = np.quantile(defined, [level, 1 - level])
    return Interval(value, float(low), float(high))


def _level(count: int) -> float:
    """The quantile of the samples that a 95% interval begins at."""
    from scipy.special import ndtr, stdtrit

    if count < 2:
        return 0.0
    return float(ndtr(np.sqrt(count / (count - 1)) * stdtrit(count - 1, 0.025)))
