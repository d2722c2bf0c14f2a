"""How good estimates of value are: ranking first, since spending follows rank, then error, coverage and totals."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from models.evaluation import metrics
from models.evaluation.metrics import Metric
from models.ltv.btyd import Array

Resample = Callable[[pd.DataFrame, pd.DataFrame, Array], Array]


def total_ratio() -> Metric:
    """All predicted spend over all actual spend: best when nearest to 1, so judge it by a gate."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        actual, value = weights @ truth["value"].to_numpy(float), weights @ answers["value"].to_numpy(float)
        return np.asarray(np.divide(value, actual, out=np.full(len(weights), np.nan), where=actual != 0))

    return _weighted("total_ratio", resample, "value")


def accuracy() -> Metric:
    """The share of customers of whom it is rightly said whether they will buy."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        right = ((truth["value"] > 0) == (answers["churn_risk"] < 0.5)).to_numpy(float)
        return np.asarray(weights @ right / weights.sum(axis=1))

    return _weighted("accuracy", resample, "churn_risk")


def _weighted(name: str, resample: Resample, answer: str) -> Metric:
    def measure(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
        return float(resample(truth, answers, np.ones((1, len(truth))))[0])

    return Metric(name, measure, resample=resample, answer=answer)


METRICS = (
    metrics.gini("value", "value"),
    metrics.spearman("value", "value"),
    metrics.mae("value", "value"),
    metrics.rmse("value", "value"),
    metrics.coverage("value", "value_low", "value_high", 0.8),
    total_ratio(),
    accuracy(),
)
