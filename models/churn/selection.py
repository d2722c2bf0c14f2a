"""Which members answer: a race fold by fold, then the stack of those left or the best one alone, by held-out rows."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.churn.stacking import Array, Stack
from models.evaluation import bootstrap, metrics
from models.evaluation.standing import Standing

_AUC = metrics.auc("churned", "score")
#: A weight below this share of all tells nothing that is worth a graph.
LEAST = 0.02


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


def chosen(logits: Mapping[str, Array], churned: Array, fold: npt.NDArray[np.intp], seed: int) -> list[str]:
    """The members that the model is made of: all that the stack gives weight to, or the one that is better alone.

    The stack is judged by what it says of a fold whose answers its weights were not learnt from.
    """
    if len(logits) == 1:
        return list(logits)
    said, everyone = np.column_stack(list(logits.values())), np.ones(len(churned), dtype=bool)
    stacked = np.empty(len(churned))
    for k in np.unique(fold):
        held = fold == k
        stacked[held] = Stack.fit(said[~held], churned[~held], everyone[~held]).blend(said[held])
    alone = {name: _answers(own) for name, own in logits.items()}
    standing = Standing.of(_AUC, _truth(churned), _answers(stacked), alone, seed)
    if standing.better:
        return [standing.better[0]]
    weights = Stack.fit(said, churned, everyone).weights
    return [name for name, weight in zip(logits, weights, strict=True) if weight >= LEAST * sum(weights)]


def _truth(churned: Array) -> pd.DataFrame:
    return pd.DataFrame({"churned": churned})


def _answers(score: Array) -> pd.DataFrame:
    return pd.DataFrame({"score": score})
