"""The ensemble's members as ONNX graphs from an encoded matrix to log-odds of churn.

Every graph takes `x`, float32 of (rows, columns) with NaN where a value is missing, and gives `logit` of (rows, 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.churn.piecewise_linear import Basis

OPSET, ML_OPSET, IR_VERSION = 18, 3, 9
Doubles = npt.NDArray[np.float64]
#: A forest's leaf may be pure; its probability stays this far from 0 and 1 so that its log-odds exist.
EDGE = 1e-3


@dataclass(frozen=True)
class Trees:
    """Decision trees as flat arrays over all nodes of all trees, a tree's nodes numbered from 0.

    `feature` is -1 at a leaf, whose answer is `value`; elsewhere a row goes to `left` when its number is at or below
    `threshold` (`below` BRANCH_LEQ) or under it (BRANCH_LT), or is missing where `missing_left`.
    """

    tree: npt.NDArray[np.int64]
    node: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    missing_left: npt.NDArray[np.int64]
    value: npt.NDArray[np.float32]
    below: str


def dense(basis: Basis, layers: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]) -> onnx.ModelProto:
    """Basis, then layers of (weight, bias) with ReLU between them.

    Weights of three axes (networks, inputs, outputs) are a bag of networks, whose log-odds are averaged.
    """
    nodes, constants = _basis(basis)
    last = "basis"
    for place, (weight, bias) in enumerate(layers):
        constants |= {f"weight{place}": weight.astype(np.float32), f"bias{place}": bias.astype(np.float32)}
        nodes.append(helper.make_node("MatMul", [last, f"weight{place}"], [f"product{place}"]))
        nodes.append(helper.make_node("Add", [f"product{place}", f"bias{place}"], [f"sum{place}"]))
        last = f"sum{place}"
        if place < len(layers) - 1:
            nodes.append(helper.make_node("Relu", [last], [f"relu{place}"]))
            last = f"relu{place}"
    if layers[-1][0].ndim == 3:
        constants["bag"] = np.array([0], dtype=np.int64)
        nodes.append(helper.make_node("ReduceMean", [last, "bag"], ["logit"], keepdims=0))
    else:
        nodes.append(helper.make_node("Identity", [last], ["logit"]))
    return _model(nodes, constants, basis.columns)


def linear(fill: Doubles, mean: Doubles, spread: Doubles, weight: Doubles, intercept: float) -> onnx.ModelProto:
    """Standardized numbers times `weight`; `fill` stands for what is missing."""
    nodes = [
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "fill", "x"], ["filled"]),
        helper.make_node("Sub", ["filled", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "spread"], ["standard"]),
        helper.make_node("MatMul", ["standard", "weight"], ["product"]),
        helper.make_node("Add", ["product", "intercept"], ["logit"]),
    ]
    told = {"fill": fill, "mean": mean, "spread": spread, "weight": weight[:, None], "intercept": np.array([intercept])}
    return _model(nodes, {name: value.astype(np.float32) for name, value in told.items()}, len(weight))


def forest(trees: Trees, columns: int) -> onnx.ModelProto:
    """The mean of the trees' probabilities, as log-odds."""
    low, high, one = (np.array(value, dtype=np.float32) for value in (EDGE, 1 - EDGE, 1))
    nodes = [
        _ensemble(trees, "mean", "AVERAGE", 0.0),
        helper.make_node("Clip", ["mean", "low", "high"], ["probability"]),
        helper.make_node("Sub", ["one", "probability"], ["rest"]),
        helper.make_node("Div", ["probability", "rest"], ["odds"]),
        helper.make_node("Log", ["odds"], ["logit"]),
    ]
    return _model(nodes, {"low": low, "high": high, "one": one}, columns)


def boosting(trees: Trees, columns: int, start: float) -> onnx.ModelProto:
    """The sum of the trees' log-odds over the log-odds that boosting started from."""
    return _model([_ensemble(trees, "logit", "SUM", start)], {}, columns)


def _basis(basis: Basis) -> tuple[list[onnx.NodeProto], dict[str, npt.NDArray[np.generic]]]:
    node = helper.make_node
    nodes = [
        node("Gather", ["x", "column"], ["picked"], axis=1),
        node("Sub", ["picked", "low"], ["shifted"]),
        node("Mul", ["shifted", "scale"], ["risen"]),
        node("IsNaN", ["risen"], ["empty"]),
        node("Where", ["empty", "zero", "risen"], ["filled"]),
        node("Clip", ["filled", "zero", "one"], ["pieces"]),
        node("Gather", ["x", "gaps"], ["gappy"], axis=1),
        node("IsNaN", ["gappy"], ["missing"]),
        node("Cast", ["missing"], ["indicators"], to=TensorProto.FLOAT),
        node("Concat", ["pieces", "indicators"], ["expanded"], axis=1),
        node("Sub", ["expanded", "centre"], ["basis"]),
    ]
    constants: dict[str, npt.NDArray[np.generic]] = {
        "column": basis.column,
        "low": basis.low,
        "scale": basis.scale,
        "gaps": basis.gaps,
        "centre": basis.centre,
        "zero": np.array(0, dtype=np.float32),
        "one": np.array(1, dtype=np.float32),
    }
    return nodes, constants


def _ensemble(trees: Trees, output: str, aggregate: str, start: float) -> onnx.NodeProto:
    leaf = trees.feature < 0
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        [output],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=aggregate,
        base_values=[start],
    )
    node.attribute.extend(
        [
            _ints("nodes_treeids", trees.tree),
            _ints("nodes_nodeids", trees.node),
            _ints("nodes_featureids", np.where(leaf, 0, trees.feature)),
            _floats("nodes_values", np.where(leaf, 0, trees.threshold)),
            _texts("nodes_modes", np.where(leaf, b"LEAF", trees.below.encode())),
            _ints("nodes_truenodeids", np.where(leaf, 0, trees.left)),
            _ints("nodes_falsenodeids", np.where(leaf, 0, trees.right)),
            _ints("nodes_missing_value_tracks_true", np.where(leaf, 0, trees.missing_left)),
            _ints("target_treeids", trees.tree[leaf]),
            _ints("target_nodeids", trees.node[leaf]),
            _ints("target_ids", np.zeros(int(leaf.sum()), dtype=np.int64)),
            _floats("target_weights", trees.value[leaf]),
        ]
    )
    return node


# `helper.make_attribute` looks at each value by itself: seconds for a forest of deep trees.
def _ints(name: str, values: npt.NDArray[np.integer[Any]]) -> onnx.AttributeProto:
    return onnx.AttributeProto(name=name, type=onnx.AttributeProto.INTS, ints=values.tolist())


def _floats(name: str, values: npt.NDArray[np.floating[Any]]) -> onnx.AttributeProto:
    return onnx.AttributeProto(name=name, type=onnx.AttributeProto.FLOATS, floats=values.tolist())


def _texts(name: str, values: npt.NDArray[np.bytes_]) -> onnx.AttributeProto:
    return onnx.AttributeProto(name=name, type=onnx.AttributeProto.STRINGS, strings=values.tolist())


def _model(nodes: list[onnx.NodeProto], constants: dict[str, npt.NDArray[np.generic]], columns: int) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "churn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", columns])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["rows", 1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="adloop")
    onnx.checker.check_model(model)
    return model
