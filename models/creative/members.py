"""The members of the ensemble: a random forest and boosted trees for each output, a network for all.

Each answers corrections to where an output starts (`Design.start`), on its linked scale.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from models.creative.design import CreativeDesign
from models.creative.outputs import Array, Output
from models.tabular import Matrix

if TYPE_CHECKING:
    import lightgbm

#: Order of the members, in a stack's weights.
MEMBERS = ("forest", "boosting", "network")
#: Fewer rows than this are scored faster by one thread than by many.
ROWS_PER_THREAD = 20_000
#: A forest's ratio stays within these limits, as no correction is larger.
RATIOS = (0.05, 20.0)


@dataclass(frozen=True)
class Network:
    """A perceptron with one hidden layer, and one correction per output.

    Attributes:
        mean, scale: of the inputs; missing ones count as the mean.
    """

    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    hidden: npt.NDArray[np.float32]
    hidden_bias: npt.NDArray[np.float32]
    last: npt.NDArray[np.float32]

    @classmethod
    def standard(cls, matrix: Matrix) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Mean and scale of the columns; an infinite scale where a column is constant or empty."""
        there = ~np.isnan(matrix)
        count = np.maximum(there.sum(axis=0), 1)
        filled = np.where(there, matrix, 0).astype(np.float64)
        mean = filled.sum(axis=0) / count
        scale = np.sqrt(np.where(there, (filled - mean) ** 2, 0).sum(axis=0) / count)
        return mean.astype(np.float32), np.where(scale > 1e-5, scale, np.inf).astype(np.float32)

    def inputs(self, matrix: Matrix) -> Matrix:
        """Standardized inputs, at most five deviations from the mean."""
        scaled = np.nan_to_num((matrix - self.mean) / self.scale, nan=0.0)
        return np.asarray(np.clip(scaled, -5, 5), dtype=np.float32)

    def corrections(self, matrix: Matrix) -> Array:
        """(rows, outputs), in double precision: the same to nine digits whatever the batch and the threads."""
        hidden = np.maximum(self.inputs(matrix).astype(np.float64) @ self.hidden + self.hidden_bias, 0)
        return np.asarray(hidden @ self.last, dtype=np.float64)


@dataclass(frozen=True)
class Members:
    """The fitted members: LightGBM models by output, and the network."""

    outputs: tuple[Output, ...]
    forests: "Mapping[str, lightgbm.Booster]"
    boosters: "Mapping[str, lightgbm.Booster]"
    network: Network

    def corrections(self, design: CreativeDesign, outputs: Sequence[Output]) -> dict[str, Array]:
        """By output, (rows, members)."""
        threads = 1 if len(design.matrix) < ROWS_PER_THREAD else int(os.environ.get("OMP_NUM_THREADS", "0"))
        network = self.network.corrections(design.matrix)
        found = {}
        for one in outputs:
            place = self.outputs.index(one)
            ratio = np.asarray(self.forests[one.name].predict(design.matrix, num_threads=threads))
            boosted = np.asarray(self.boosters[one.name].predict(design.matrix, raw_score=True, num_threads=threads))
            found[one.name] = np.column_stack([np.log(np.clip(ratio, *RATIOS)), boosted, network[:, place]])
        return found

    def save(self, folder: Path) -> dict[str, npt.NDArray[Any]]:
        """Write the trees, `<output>_forest.txt` and `<output>_boosting.txt`; returns the network's arrays."""
        for one in self.outputs:
            self.forests[one.name].save_model(folder / f"{one.name}_forest.txt")
            self.boosters[one.name].save_model(folder / f"{one.name}_boosting.txt")
        return {f"network_{name}": array for name, array in vars(self.network).items()}

    @classmethod
    def load(cls, folder: Path, outputs: tuple[Output, ...], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """What `save` wrote and returned."""
        from models.lean_lightgbm import lightgbm

        trees = [
            {one.name: lightgbm.Booster(model_file=folder / f"{one.name}_{kind}.txt") for one in outputs}
            for kind in ("forest", "boosting")
        ]
        names = ("mean", "scale", "hidden", "hidden_bias", "last")
        return cls(outputs, trees[0], trees[1], Network(*(arrays[f"network_{name}"] for name in names)))
