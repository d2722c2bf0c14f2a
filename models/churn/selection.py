"""Which members answer: a race fold by fold, then the stack of those left or the best one alone, by held-out rows."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.churn.stacking import Array, Stack
from models.evaluation import bootstrap, metrics
from models.evaluation.baseline_comparison import BaselineComparison

_AUC = metrics.auc("churned", "score")


def contenders(logits: Mapping[str, Array], churned: Array, seed: int, margin: float) -> list[str]:
    """Those that the best of them does not beat by `margin` times the noise, by log-odds of rows they did not learn."""
    auc = {name: _AUC.measure(_truth(churned), _answers(said)) for name, said in logits.items()}
    best = max(auc, key=lambda name: auc[name])
    others = {name: _answers(said) for name, said in logits.items() if name != best}
    ahead = bootstrap.gains(_AUC, _truth(churned), _answers(logits[best]), others, seed)
    return [
        name
        for name in logits
        if name == best or not ahead[name].value > margin * (ahead[name].value - ahead[name].low)
    ]


def chosen(logits: Mapping[str, Array], churned: Array, seed: int) -> list[str]:
    """The members that the model is made of: those that the stack picks, or one that is better alone beyond noise."""
    said, everyone = np.column_stack(list(logits.values())), np.ones(len(churned), dtype=bool)
    stack = Stack.fit(said, churned, everyone)
    alone = {name: _answers(own) for name, own in logits.items()}
    standing = BaselineComparison.of(_AUC, _truth(churned), _answers(stack.blend(said)), alone, seed)
    return list(standing.better[:1]) or [name for name, weight in zip(logits, stack.weights, strict=True) if weight]


def _truth(churned: Array) -> pd.DataFrame:
    return pd.DataFrame({"churned": churned})


def _answers(score: Array) -> pd.DataFrame:
    return pd.DataFrame({"score": score})
