"""Weights of 8 bits are those of ONNX Runtime's own rounding."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnxruntime.quantization import QuantType, quantize_dynamic

from models.nlp.tuning.eight_bits import quantized

DRAWN = np.random.default_rng(0)
WEIGHTS = {
    "wide": DRAWN.normal(size=(6, 40)),
    "narrow": DRAWN.standard_cauchy(size=(6, 3)),
    "zeros": np.hstack([np.zeros((6, 1)), DRAWN.normal(size=(6, 2)) * 1e-40, np.full((6, 1), -2.0)]),
}


def _graph() -> onnx.ModelProto:
    """`x` times each of the weights, `x` times itself, and another input times weights that were read before."""
    nodes = [make_node("MatMul", ["x", name], [f"{name}_out"]) for name in WEIGHTS]
    nodes += [
        make_node("MatMul", ["x", "x"], ["itself"]),
        make_node("Relu", ["x"], ["above"]),
        make_node("MatMul", ["above", "wide"], ["again"]),
    ]
    return make_model(
        make_graph(
            nodes,
            "small",
            [make_tensor_value_info("x", TensorProto.FLOAT, [6, 6])],
            [
                make_tensor_value_info(name, TensorProto.FLOAT, None)
                for name in (*(f"{w}_out" for w in WEIGHTS), "itself", "again")
            ],
            [onnx.numpy_helper.from_array(values.astype(np.float32), name) for name, values in WEIGHTS.items()],
        ),
        opset_imports=[make_opsetid("", 17)],
        ir_version=8,
    )


def _initializers(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}


def test_numbers_and_answers_are_those_of_onnx_runtime(tmp_path: Path) -> None:
    quantize_dynamic(_graph(), tmp_path / "theirs.onnx", per_channel=True, weight_type=QuantType.QInt8)
    theirs, ours = (tmp_path / "theirs.onnx").read_bytes(), quantized(_graph().SerializeToString())
    expected, found = (_initializers(onnx.load_model_from_string(one)) for one in (theirs, ours))
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, name, strict=True)
    x = DRAWN.normal(size=(6, 6)).astype(np.float32)
    said, exact = (ort.InferenceSession(one).run(None, {"x": x}) for one in (ours, theirs))
    for mine, its in zip(said, exact, strict=True):
        np.testing.assert_array_equal(mine, its)
