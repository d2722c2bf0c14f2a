"""Detects leaks: single features that determine a label."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation import metrics
from models.evaluation.metrics import Metric
from models.inputs import is_listed
from models.tabular import Encoder, Matrix

#: Rows to search for leaks, which show on far fewer.
ROWS = 4000
FOLDS = 3
#: Examples of a label with fewer than which no leak can be told.
FEWEST = 30

Rows = npt.NDArray[np.intp]

#: Highest plausible score of a single honest feature.
LIMIT = 0.98


def scores(frame: pd.DataFrame, features: Sequence[str], labels: Iterable[str], seed: int) -> dict[str, float]:
    """The highest score of each feature alone over all labels, descending: AUC or Gini of ranks, out of fold.

    Each feature gets a small tree, which finds any shape: a number, a category with many values, a value that is
    missing for one class only. Vectors and lists are left out, and of each label the examples that do not tell it.
    """
    sample = frame.sample(min(ROWS, len(frame)), random_state=seed).reset_index(drop=True)
    encoder = Encoder.fit(sample[[name for name in features if not is_listed(sample[name])]])
    matrix, origins = encoder.encode(sample), np.array(encoder.origins)
    alone = {
        name: np.column_stack([matrix[:, origins == name], sample[name].isna()])
        for name in dict.fromkeys(encoder.origins)
    }
    told = [one for label in labels if (one := _Label.of(sample[label], seed)) is not None]
    most = {name: max((label.told_by(x, seed) for label in told), default=0.0) for name, x in alone.items()}
    return dict(sorted(most.items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class _Label:
    """A label that each feature is to tell: the rows that know it, what stands for it there, and folds of them."""

    there: npt.NDArray[np.bool_]
    target: pd.DataFrame
    metric: Metric
    chance: bool
    folds: Sequence[tuple[Rows, Rows]]

    @classmethod
    def of(cls, label: "pd.Series[Any]", seed: int) -> Self | None:
        from sklearn.model_selection import KFold

        there = label.notna().to_numpy()
        known = label[there].reset_index(drop=True).to_frame("label")
        if len(known) < FEWEST:
            return None
        chance = bool(known["label"].isin([0, 1]).all())
        # Ranks, so that a few huge labels do not take all the leaves; and their Gini, which lets equal labels (most of
        # them 0, say) stand in any order.
        target = (known if chance else known.rank()).astype(np.float64)
        metric = metrics.auc if chance else metrics.gini
        folds = KFold(FOLDS, shuffle=True, random_state=seed).split(known)
        return cls(there, target, metric("label", "told"), chance, tuple(folds))

    def told_by(self, columns: Matrix, seed: int) -> float:
        """The score of one feature's columns. Where all are finite, scikit-learn need not look at them again: it takes
        longer than a small tree."""
        from sklearn import config_context
        from sklearn.tree import DecisionTreeRegressor

        columns = np.ascontiguousarray(columns[self.there], dtype=np.float32)
        values, told = self.target["label"].to_numpy(), np.empty(len(columns))
        leaves = 8 + columns.shape[1] if self.chance else 128
        tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=5, random_state=seed)
        check = not np.isfinite(columns).all()
        with config_context(skip_parameter_validation=True):
            for learn, held in self.folds:  # `cross_val_predict` takes twice as long for small trees
                tree.fit(columns[learn], values[learn], check_input=check)
                told[held] = tree.predict(columns[held], check_input=check)
        return float(np.nan_to_num(self.metric.measure(self.target, pd.DataFrame({"told": told}))))
