"""Metrics of several models with bootstrap intervals."""

from collections.abc import Iterable, Mapping

import pandas as pd

from models.evaluation import bootstrap
from models.evaluation.metrics import Metric


def table(
    metrics: Iterable[Metric], truth: pd.DataFrame, answers: Mapping[str, pd.DataFrame], seed: int
) -> pd.DataFrame:
    """One row per model and metric: `model`, `metric`, `value`, `low`, `high`, `higher_is_better`.

    A model without the answer that a metric judges (such as a baseline without intervals) has no row for it.
    """
    rows = []
    for metric in metrics:
        judged = {model: one for model, one in answers.items() if metric.answers <= set(one.columns)}
        for model, figure in bootstrap.intervals(metric, truth, judged, seed).items():
            rows.append((model, metric.name, figure.value, figure.low, figure.high, metric.higher_is_better))
    return pd.DataFrame(rows, columns=["model", "metric", "value", "low", "high", "higher_is_better"])
