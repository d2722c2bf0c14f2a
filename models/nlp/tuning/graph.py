"""Exports the tuned layers as an ONNX graph, with 8-bit weights where they say the same."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from models.nlp.encoder import TunedEncoder
from models.nlp.features import Array
from models.nlp.tuning.network import LastLayers
from models.text.embedding import SIZE

OPSET = 17
#: Least mean cosine between the vectors of the two precisions for the smaller one.
PARITY = 0.995


def graph(layers: LastLayers, states: Sequence[Array]) -> bytes:
    """The graph of `layers`: from `states` (1, tokens, SIZE) to `vector` (1, SIZE). The 8-bit one, a quarter as large,
    where its vectors of the texts with these states agree with those of full precision."""
    whole = _export(layers)
    small = _quantized(whole)
    exact, rounded = (TunedEncoder(content).of(states) for content in (whole, small))
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    return small if float(((exact * rounded).sum(axis=1) / lengths).mean()) >= PARITY else whole


def _export(layers: LastLayers) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "whole.onnx"
        torch.onnx.export(
            layers.eval(),
            (torch.zeros(1, 5, SIZE),),
            str(file),
            input_names=["states"],
            output_names=["vector"],
            dynamic_axes={"states": {1: "tokens"}},
            opset_version=OPSET,
            dynamo=False,
        )
        return file.read_bytes()


def _quantized(content: bytes) -> bytes:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "small.onnx"
        quantize_dynamic(onnx.load_from_string(content), file, per_channel=True, weight_type=QuantType.QInt8)
        return file.read_bytes()
