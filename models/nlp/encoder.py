"""Vectors of texts by fine-tuned layers, from an ONNX graph."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from models.text.embedding import SIZE

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TunedEncoder:
    """An ONNX graph from `states` (1, tokens, SIZE) to `vector` (1, SIZE).

    Texts are read one at a time: an 8-bit graph scales its numbers by all texts that it reads at once.
    """

    content: bytes

    def of(self, states: Sequence[Array]) -> Array:
        """One vector a text, (texts, SIZE)."""
        found = [self._session.run(None, {"states": one[None].astype(np.float32)})[0][0] for one in states]
        return np.stack(found) if found else np.empty((0, SIZE), np.float32)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        return ort.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
