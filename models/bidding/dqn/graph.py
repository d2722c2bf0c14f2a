"""Exports the networks as one ONNX graph."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.bidding.dqn.network import HEADS
from models.bidding.dqn.state import FEATURES, TURNS

OPSET, IR_VERSION = 18, 9
#: Weight and bias of each of three layers.
LAYERS = 6


def graph(layers: Sequence[npt.NDArray[np.float32]]) -> onnx.ModelProto:
    """From `state`, float32 of (rows, FEATURES), to `q` of (heads, rows, branches, turns)."""
    node = helper.make_node
    width = layers[-1].shape[-1] - 1
    branches = width // len(TURNS)
    constants: dict[str, npt.NDArray[np.generic]] = {f"layer{i}": layer for i, layer in enumerate(layers)}
    constants |= {"split": np.array([1, width]), "axis": np.array([-1])}
    constants |= {"shape": np.array([HEADS, -1, branches, len(TURNS)])}
    nodes = []
    for i, (given, out) in enumerate((("state", "first"), ("first", "second"), ("second", "both"))):
        nodes.append(node("MatMul", [given, f"layer{2 * i}"], [f"product{i}"]))
        nodes.append(node("Add", [f"product{i}", f"layer{2 * i + 1}"], [f"sum{i}" if i < 2 else out]))
        if i < 2:
            nodes.append(node("Relu", [f"sum{i}"], [out]))
    nodes += [
        node("Split", ["both", "split"], ["common", "flat"], axis=-1),
        node("Unsqueeze", ["common", "axis"], ["value"]),
        node("Reshape", ["flat", "shape"], ["advantage"]),
        node("ReduceMean", ["advantage", "axis"], ["mean"], keepdims=1),
        node("Sub", ["advantage", "mean"], ["centred"]),
        node("Add", ["value", "centred"], ["q"]),
    ]
    inputs = [helper.make_tensor_value_info("state", TensorProto.FLOAT, ["rows", FEATURES])]
    outputs = [helper.make_tensor_value_info("q", TensorProto.FLOAT, [HEADS, "rows", branches, len(TURNS)])]
    initial = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    made = helper.make_graph(nodes, "bidding", inputs, outputs, initial)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="adloop"
    )
    onnx.checker.check_model(model)
    return model


def layers(network: onnx.ModelProto) -> list[npt.NDArray[np.float32]]:
    """Read the layers back from a graph."""
    held = {one.name: numpy_helper.to_array(one) for one in network.graph.initializer}
    return [held[f"layer{i}"] for i in range(LAYERS)]


def widened(layers: Sequence[npt.NDArray[np.float32]], branches: int) -> list[npt.NDArray[np.float32]]:
    """The layers extended to this many branches; new ones start as the mean of the others."""
    *inner, weight, bias = layers

    def grown(last: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        value, flat = last[..., :1], last[..., 1:]
        there = flat.reshape(*flat.shape[:-1], -1, len(TURNS))
        added = np.repeat(there.mean(axis=-2, keepdims=True), branches - there.shape[-2], axis=-2)
        wide = np.concatenate([there, added], axis=-2)
        return np.concatenate([value, wide.reshape(*flat.shape[:-1], -1)], axis=-1)

    return [*inner, grown(weight), grown(bias)]
