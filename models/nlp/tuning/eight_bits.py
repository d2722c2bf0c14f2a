"""Weights of 8 bits in an ONNX graph."""

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, load_model_from_string
from onnx.helper import make_node
from onnx.numpy_helper import from_array, to_array

from models.nlp.features import Array

#: The largest weight of a column, in steps of its scale.
MOST = 127


def quantized(content: bytes) -> bytes:
    """The graph with 8-bit weights wherever a matrix of weights is multiplied, a scale for each of its columns.

    It computes what ONNX Runtime's `quantize_dynamic` makes of the graph, which rounds the columns one at a time and
    takes most of a second for a layer.
    """
    model = load_model_from_string(content)
    graph = model.graph
    matrices = {one.name: one for one in graph.initializer}
    nodes: list[Any] = []
    rounded: set[str] = set()
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in matrices:
            nodes.append(node)
            continue
        states, weights = node.input
        if states not in rounded:
            nodes.append(make_node("DynamicQuantizeLinear", [states], _parts(states)))
        if weights not in rounded:
            parts = zip(_parts(weights), _steps(to_array(matrices[weights])), strict=True)
            graph.initializer.extend(from_array(values, name) for name, values in parts)
        rounded |= {states, weights}
        nodes += _product(states, weights, node.output[0])
    for name in rounded & set(matrices):
        graph.initializer.remove(matrices[name])
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def _steps(weights: Array) -> tuple[npt.NDArray[np.int8], Array, npt.NDArray[np.int8]]:
    """Whole steps, the step of each column and the zero of each; a column of zeros has steps of 1."""
    scale = (np.abs(weights).max(axis=0).astype(np.float64) / MOST).astype(np.float32)
    scale[scale < np.finfo(np.float32).tiny] = 1
    return (weights / scale).round().astype(np.int8), scale, np.zeros(len(scale), np.int8)


def _parts(name: str) -> list[str]:
    return [f"{name}_{part}" for part in ("quantized", "scale", "zero_point")]


def _product(states: str, weights: str, result: str) -> list[Any]:
    """Whole numbers multiplied and scaled back."""
    (x, x_scale, x_zero), (w, w_scale, w_zero) = _parts(states), _parts(weights)
    whole, floats, scale = (f"{result}_{part}" for part in ("whole", "floats", "scale"))
    return [
        make_node("MatMulInteger", [x, w, x_zero, w_zero], [whole]),
        make_node("Cast", [whole], [floats], to=TensorProto.FLOAT),
        make_node("Mul", [x_scale, w_scale], [scale]),
        make_node("Mul", [floats, scale], [result]),
    ]
