"""Fairness between groups of customers: fairlearn's two differences, with lower confidence bounds."""

from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from models.evaluation.metrics import Array

#: Groups smaller than this are merged into one group, if it is large enough.
SMALLEST = 50
#: A number with more values than this is cut at its quartiles.
MOST_VALUES = 10
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Disparity:
    """The largest difference between two groups of `column`, and a lower bound that holds at 95% for all pairs at once.

    Attributes:
        criterion: `demographic_parity` (selection rate; Dwork et al., 2012) or `equalized_odds` (true and false
        positive
            rates; Hardt et al., 2016).
    """

    column: str
    criterion: str
    value: float
    low: float


@dataclass(frozen=True)
class Assessment:
    """One sensitive column: the differences, and a row per group with `rows`, `selected`, `tpr` and `fpr`."""

    differences: tuple[Disparity, ...]
    groups: pd.DataFrame
    left_out: int


def assess(column: "pd.Series[Any]", outcome: Array, decision: Array) -> Assessment | None:
    """Compare the groups of `column` by decision and outcome (0 or 1 per row).

    Rows with an unknown or too small group are left out and counted. None where fewer than two groups remain.
    """
    from fairlearn.metrics import MetricFrame, count, false_positive_rate, selection_rate, true_positive_rate

    group = groups(column)
    known = group.notna().to_numpy()
    if group.nunique() < 2:
        return None
    rates = {"selected": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate, "rows": count}
    frame = MetricFrame(
        metrics=rates, y_true=outcome[known], y_pred=decision[known], sensitive_features=group[known].astype(str)
    )
    table, gaps = frame.by_group, frame.difference()
    positives = pd.Series(outcome[known]).groupby(group[known].astype(str).to_numpy()).sum().loc[table.index].to_numpy()
    trials = {"selected": table["rows"].to_numpy(), "tpr": positives, "fpr": table["rows"].to_numpy() - positives}
    low = {name: _lower_bound(table[name].to_numpy(), n) for name, n in trials.items()}
    name = str(column.name)
    differences = (
        Disparity(name, "demographic_parity", float(gaps["selected"]), low["selected"]),
        Disparity(name, "equalized_odds", float(max(gaps["tpr"], gaps["fpr"])), max(low["tpr"], low["fpr"])),
    )
    return Assessment(differences, table.astype({"rows": int}), int((~known).sum()))


def groups(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The group of each row as text: quartiles of numbers, small groups merged, None where unknown."""
    if types.is_numeric_dtype(column) and not types.is_bool_dtype(column) and column.nunique() > MOST_VALUES:
        column = pd.qcut(column, 4, duplicates="drop")
    group = column.astype(object).map(str, na_action="ignore")
    sizes = group.value_counts()
    small = sizes.index[sizes < SMALLEST]
    pooled: Any = "other" if sizes[small].sum() >= SMALLEST else np.nan
    return pd.Series(np.where(group.isin(small), pooled, group), column.index, name=column.name)


def _lower_bound(rates: Array, trials: Array) -> float:
    """The largest lower bound of a difference of two rates, over all pairs with Bonferroni's correction.

    Variances add one success and one failure (Agresti and Caffo, 2000), so that those of small groups are not 0.
    """
    shrunk = (rates * trials + 1) / (trials + 2)
    variance = shrunk * (1 - shrunk) / (trials + 2)
    pairs = list(combinations(range(len(rates)), 2))
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / len(pairs) / 2)
    bounds = [abs(rates[a] - rates[b]) - z * np.sqrt(variance[a] + variance[b]) for a, b in pairs]
    return float(max(0.0, *bounds))
