"""Members of the ensemble: learners from an encoded matrix to log-odds of churn, and their fitted models."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import onnx

from models.churn.params import ChurnParams
from models.churn.piecewise_linear import Floats

Library = Literal["xgboost", "lightgbm"]
#: File name of each library's trees.
SUFFIXES: dict[Library, str] = {"xgboost": ".json", "lightgbm": ".txt"}


@dataclass(frozen=True)
class Boosted:
    """Boosted trees in the format of the library they were learnt with, which knows their TreeSHAP contributions."""

    library: Library
    saved: bytes

    def effects(self, x: Floats) -> Floats:
        """Contributions to the log-odds of each row (Lundberg et al., 2020): (rows, columns)."""
        if self.library == "xgboost":
            from models.lean_xgboost import xgboost

            told = self._booster.predict(xgboost.DMatrix(x, nthread=1), pred_contribs=True)
        else:
            told = self._booster.predict(x, pred_contrib=True, num_threads=1)
        return np.asarray(told[:, :-1], dtype=np.float32)  # what all rows share is last

    @cached_property
    def _booster(self) -> Any:
        if self.library == "xgboost":
            from models.lean_xgboost import xgboost

            booster = xgboost.Booster(params={"nthread": 1})
            booster.load_model(bytearray(self.saved))
            return booster
        from models.lean_lightgbm import lightgbm

        return lightgbm.Booster(model_str=self.saved.decode())


@dataclass(frozen=True)
class Member:
    """A fitted learner: its ONNX graph, which answers, and what explains it, where it has boosted trees."""

    graph: bytes
    boosted: Boosted | None = None

    @classmethod
    def of(cls, graph: onnx.ModelProto, boosted: Boosted | None = None) -> Self:
        """From a graph, serialized deterministically."""
        return cls(graph.SerializeToString(deterministic=True), boosted)

    def save(self, folder: Path, name: str) -> None:
        """Write `<name>.json` or `<name>.txt`, then `<name>.onnx`, each atomically."""
        if self.boosted is not None:
            write(folder / f"{name}{SUFFIXES[self.boosted.library]}", self.boosted.saved)
        write(folder / f"{name}.onnx", self.graph)

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        """Read back what `save` wrote."""
        files = {library: folder / f"{name}{suffix}" for library, suffix in SUFFIXES.items()}
        boosted = [Boosted(library, file.read_bytes()) for library, file in files.items() if file.exists()]
        return cls((folder / f"{name}.onnx").read_bytes(), boosted[0] if boosted else None)


#: Learn from an encoded matrix and its labels with a seed; keep progress in a file and go on from what it holds.
Learn = Callable[[Floats, Floats, ChurnParams, int, Path], Member]


def write(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    aside = path.with_name(f"{path.name}.aside")
    aside.write_bytes(content)
    aside.replace(path)
