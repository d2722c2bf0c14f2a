"""Converts fitted trees of each library to ONNX, from the library's dump."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from models.churn import graphs
from models.churn.piecewise_linear import Floats

#: Code of a missing value for libraries without support: smaller than any other value.
MISSING = float(np.finfo(np.float32).min)


def of_xgboost(booster: Any) -> onnx.ModelProto:
    """An `xgboost.Booster` of log-odds."""
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


def of_lightgbm(booster: Any) -> onnx.ModelProto:
    """A `lightgbm.Booster` of log-odds: the average it started from is in its first tree."""
    trees = [list(_nodes(tree["tree_structure"])) for tree in booster.dump_model()["tree_info"]]
    columns = np.array([node for tree in trees for node in tree], dtype=np.float64).T
    feature, threshold, left, right, missing_left, value = columns
    sizes = [len(tree) for tree in trees]
    flat = graphs.Trees(
        tree=np.repeat(np.arange(len(trees)), sizes),
        node=np.concatenate([np.arange(size) for size in sizes]),
        feature=feature.astype(np.int64),
        threshold=_at_most(threshold),
        left=left.astype(np.int64),
        right=right.astype(np.int64),
        missing_left=missing_left.astype(np.int64),
        value=value.astype(np.float32),
        below="BRANCH_LEQ",
    )
    return graphs.boosting(flat, booster.num_feature(), 0.0)


def of_forest(model: Any, columns: int) -> onnx.ModelProto:
    """A `RandomForestClassifier` fitted on rows whose missing values are `MISSING`."""
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
    return graphs.forest(flat, columns)


def filled(x: Floats) -> Floats:
    """`x` with `MISSING` where a value is missing."""
    return np.nan_to_num(x, nan=MISSING)


def _nodes(root: dict[str, Any]) -> Iterator[tuple[float, ...]]:
    """Each node of a LightGBM tree: feature (-1 at a leaf), threshold, left, right, missing to the left, value."""
    waiting, given = [root], 1
    for node in waiting:
        if "split_feature" not in node:
            yield -1, 0.0, 0, 0, 0, node["leaf_value"]
            continue
        # Where no value was missing when it learnt, LightGBM takes a missing one for 0.
        known = node["missing_type"] == "None"
        missing_left = node["threshold"] >= 0 if known else node["default_left"]
        yield node["split_feature"], node["threshold"], given, given + 1, missing_left, 0.0
        waiting += [node["left_child"], node["right_child"]]
        given += 2


def _at_most(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The largest float32 not above each threshold: `x <= threshold` then says the same of every float32 `x`."""
    with np.errstate(over="ignore"):  # LightGBM sets missing values apart by a threshold above all numbers
        rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float32)
