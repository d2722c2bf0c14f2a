"""XGBoost: the member that finds interactions, and the one whose TreeSHAP contributions explain an answer."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from models.churn import graphs
from models.churn.basis import Floats
from models.churn.params import ChurnParams

SETTINGS = {
    "objective": "binary:logistic",
    "max_depth": 3,
    "eta": 0.03,
    "min_child_weight": 20,
    "subsample": 0.7,
    "colsample_bytree": 0.4,
    "reg_lambda": 5.0,
    "max_bin": 64,
    "nthread": 1,
}


def train(x: Floats, churned: Floats, params: ChurnParams, seed: int) -> Any:
    """The `xgboost.Booster` itself, which explains."""
    import xgboost

    return xgboost.train({**SETTINGS, "seed": seed}, xgboost.DMatrix(x, churned), params.rounds)


def fit(x: Floats, churned: Floats, params: ChurnParams, seed: int, progress: Path) -> onnx.ModelProto:
    """Learn log-odds of churn from an encoded matrix. Quick enough to start again: `progress` is not needed."""
    return graph(train(x, churned, params, seed))


def graph(booster: Any) -> onnx.ModelProto:
    """The booster's trees, read from its own JSON."""
    import json

    learner = json.loads(booster.save_raw("json"))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    sizes = [len(tree["left_children"]) for tree in trees]

    def every(field: str, kind: type) -> Any:
        return np.concatenate([np.asarray(tree[field], dtype=kind) for tree in trees])

    leaf = every("left_children", np.int64) < 0
    conditions = every("split_conditions", np.float32)  # a leaf keeps its answer in the same place
    flat = graphs.Trees(
        tree=np.repeat(np.arange(len(trees)), sizes),
        node=np.concatenate([np.arange(size) for size in sizes]),
        feature=np.where(leaf, -1, every("split_indices", np.int64)),
        threshold=conditions,
        left=every("left_children", np.int64),
        right=every("right_children", np.int64),
        missing_left=every("default_left", np.int64),
        value=conditions,
        below="BRANCH_LT",
    )
    base = float(json.loads(learner["learner_model_param"]["base_score"].replace("[", "").replace("]", "")))
    return graphs.boosting(flat, booster.num_features(), float(np.log(base / (1 - base))))
