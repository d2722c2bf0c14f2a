"""Which members answer: a race on one fold, then the stack of those left or the best one alone, by held-out rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.churn.stacking import Array, Stack
from models.evaluation import metrics
from models.evaluation.standing import Standing

_AUC = metrics.auc("churned", "score")
#: A weight below this share of all tells nothing that is worth a graph.
LEAST = 0.02


def contenders(logits: Mapping[str, Array], churned: Array, seed: int) -> list[str]:
    """Those that the best of them does not beat beyond noise on the rows of one fold."""
    auc = {name: _AUC.measure(_truth(churned), _answers(said)) for name, said in logits.items()}
    best = max(auc, key=lambda name: auc[name])
    return [name for name in logits if name == best or not _beaten(logits[name], logits[best], churned, seed)]


def chosen(logits: Array, churned: Array, fold: npt.NDArray[np.intp], names: Sequence[str], seed: int) -> list[str]:
    """The members that the model is made of: all that the stack gives weight to, or the one that is better alone.

    The stack is judged by what it says of a fold whose answers its weights were not learnt from.
    """
    stacked = np.empty(len(logits))
    for k in np.unique(fold):
        held = fold == k
        blend = Stack.fit(logits[~held], churned[~held], np.ones(int((~held).sum()), dtype=bool))
        stacked[held] = blend.probability(logits[held])
    alone = {name: _answers(said) for name, said in zip(names, logits.T, strict=True)}
    standing = Standing.of(_AUC, _truth(churned), _answers(stacked), alone, seed)
    if standing.better:
        return [standing.better[0]]
    weights = np.asarray(Stack.fit(logits, churned, np.ones(len(logits), dtype=bool)).weights)
    kept = weights >= LEAST * weights.sum()
    return [name for name, keep in zip(names, kept, strict=True) if keep]


def _beaten(said: Array, best: Array, churned: Array, seed: int) -> bool:
    return bool(Standing.of(_AUC, _truth(churned), _answers(said), {"best": _answers(best)}, seed).better)


def _truth(churned: Array) -> pd.DataFrame:
    return pd.DataFrame({"churned": churned})


def _answers(score: Array) -> pd.DataFrame:
    return pd.DataFrame({"score": score})
