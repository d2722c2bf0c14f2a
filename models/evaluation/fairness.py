"""Whether groups of customers are treated alike: fairlearn's two differences, and how sure they are."""

from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from models.evaluation.metrics import Array

#: Groups smaller than this say nothing by themselves; together they are one group, if they are enough.
SMALLEST = 50
#: A number with more values than this is cut at its quartiles.
MOST_VALUES = 10
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """The largest difference between two groups of `column`, and a lower bound that holds at 95% for all pairs at once.

    Attributes:
        criterion: `demographic_parity` (how often the decision falls on a group; Dwork et al., 2012) or
            `equalized_odds` (how often it rightly and how often it wrongly does; Hardt et al., 2016).
    """

    column: str
    criterion: str
    value: float
    low: float


@dataclass(frozen=True)
class Assessment:
    """One sensitive column: the differences, and a row a group with `rows`, `selected`, `tpr` and `fpr`."""

    differences: tuple[Difference, ...]
    groups: pd.DataFrame
    left_out: int


def assess(column: "pd.Series[Any]", outcome: Array, decision: Array) -> Assessment | None:
    """Compare the groups of `column` by what was decided and what was true (0 or 1 a row).

    Rows whose group is not known, or in no group large enough, are left out and counted. None where fewer than two
    groups remain.
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
        Difference(name, "demographic_parity", float(gaps["selected"]), low["selected"]),
        Difference(name, "equalized_odds", float(max(gaps["tpr"], gaps["fpr"])), max(low["tpr"], low["fpr"])),
    )
    return Assessment(differences, table.astype({"rows": int}), int((~known).sum()))


def groups(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The group of each row as text: numbers cut at their quartiles, small groups as one, None where not known."""
    if types.is_numeric_dtype(column) and not types.is_bool_dtype(column) and column.nunique() > MOST_VALUES:
        column = pd.qcut(column, 4, duplicates="drop")
    group = column.astype(object).map(str, na_action="ignore")
    sizes = group.value_counts()
    small = sizes.index[sizes < SMALLEST]
    pooled: Any = "other" if sizes[small].sum() >= SMALLEST else np.nan
    return pd.Series(np.where(group.isin(small), pooled, group), column.index, name=column.name)


def _lower_bound(rates: Array, trials: Array) -> float:
    """The largest difference of two rates that is certain: each pair's, less its noise, with Bonferroni's correction.

    A rate's variance is that of one success and one failure more (Agresti and Caffo, 2000): small groups have some.
    """
    shrunk = (rates * trials + 1) / (trials + 2)
    variance = shrunk * (1 - shrunk) / (trials + 2)
    pairs = list(combinations(range(len(rates)), 2))
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / len(pairs) / 2)
    bounds = [abs(rates[a] - rates[b]) - z * np.sqrt(variance[a] + variance[b]) for a, b in pairs]
    return float(max(0.0, *bounds))
