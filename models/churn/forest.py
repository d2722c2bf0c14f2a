"""Random forest: the member that averages deep, decorrelated trees."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

from models.churn import graphs
from models.churn.basis import Floats
from models.churn.params import ChurnParams


def fit(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> onnx.ModelProto:
    """Learn log-odds of churn from an encoded matrix. Quick enough to start again: `progress` is not needed."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(
        params.trees,
        max_depth=10,
        min_samples_leaf=15,
        max_features="sqrt",
        max_samples=0.6,
        random_state=seed,
        n_jobs=-1,
    )
    # A missing value is smaller than any other, as it is in the graph.
    model.fit(np.nan_to_num(x, nan=float(np.finfo(np.float32).min)), churned)
    trees = [estimator.tree_ for estimator in model.estimators_]
    sizes = [tree.node_count for tree in trees]
    share = np.concatenate([tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1) for tree in trees])
    flat = graphs.Trees(
        tree=np.repeat(np.arange(len(trees)), sizes),
        node=np.concatenate([np.arange(size) for size in sizes]),
        feature=np.concatenate([tree.feature for tree in trees]).astype(np.int64),
        threshold=_at_most(np.concatenate([tree.threshold for tree in trees])),
        left=np.concatenate([tree.children_left for tree in trees]),
        right=np.concatenate([tree.children_right for tree in trees]),
        missing_left=np.ones(sum(sizes), dtype=np.int64),
        value=share.astype(np.float32),
        below="BRANCH_LEQ",
    )
    return graphs.forest(flat, x.shape[1])


def _at_most(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The largest float32 not above each threshold: `x <= threshold` then says the same of every float32 `x`."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float32)
