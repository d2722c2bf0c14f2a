"""Vectors of pictures by fine-tuned blocks, from an ONNX graph."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from models.image.backbone import SeenPicture
from models.image.weights import session

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TunedTail:
    """An ONNX graph from a map of the backbone, that before its last `blocks` blocks, to a vector of `SIZE`."""

    content: bytes
    blocks: int

    def of(self, seen: SeenPicture) -> Array:
        """The vector of one picture."""
        read = seen.map16 if self.blocks == 5 else seen.map8
        vector: Array = self._session.run(None, {"map": read[None]})[0][0]
        return vector

    @cached_property
    def sha256(self) -> str:
        """The hash of the graph."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def _session(self) -> Any:
        return session(self.content)
