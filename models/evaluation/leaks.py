"""Detects leaks: single features that determine a label."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from models.evaluation import metrics
from models.inputs import is_listed
from models.tabular import Encoder, Matrix

#: Rows to search for leaks, which show on far fewer.
ROWS = 4000
FOLDS = 3
#: Examples of a label with fewer than which no leak can be told.
FEWEST = 30


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
    most = {name: max(_told(x, sample[[label]], seed) for label in labels) for name, x in alone.items()}
    return dict(sorted(most.items(), key=lambda item: -item[1]))


def _told(columns: Matrix, truth: pd.DataFrame, seed: int) -> float:
    from sklearn.model_selection import KFold
    from sklearn.tree import DecisionTreeRegressor

    label = truth.columns[0]
    there = truth[label].notna().to_numpy()
    columns, truth = columns[there], truth[there].reset_index(drop=True)
    if len(truth) < FEWEST:
        return 0.0
    chance = truth[label].isin([0, 1]).all()
    leaves = 8 + columns.shape[1] if chance else 128
    tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=5, random_state=seed)
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    # Ranks, so that a few huge labels do not take all the leaves; and their Gini, which lets equal labels (most of
    # them 0, say) stand in any order.
    target = truth if chance else truth.rank()
    values, told = target[label].to_numpy(np.float64), np.empty(len(truth))
    for learn, held in folds.split(columns):  # `cross_val_predict` takes twice as long for small trees
        tree.fit(columns[learn], values[learn])
        told[held] = tree.predict(columns[held])
    answers = pd.DataFrame({"told": told})
    metric = metrics.auc if chance else metrics.gini
    return float(np.nan_to_num(metric(label, "told").measure(target, answers)))
