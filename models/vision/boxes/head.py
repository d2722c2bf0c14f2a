"""The last layer: labels of the detector's likeliest cells, and how far the edges of their boxes are off."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from models.image.box import Box, Places, has_area, suppressed
from models.image.detector import FEATURES, LABELS, SAME_PLACE, SeenCells, cells
from models.image.picture import Picture

#: Cells of a picture that are looked at: those that the detector scores highest, whatever it takes them for.
COUNT = 100
#: Numbers that are read of a cell: the logits of the detector's own labels, and what its own last layer reads.
WIDTH = len(LABELS) + FEATURES
#: How far scores are kept from 0 and 1 before they become logits.
EPSILON = 1e-4
#: Boxes with a lower score are not told; of one label, boxes that overlap by more are one thing.
LEAST, SAME = 0.05, 0.5

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class BoxHead:
    """One linear layer.

    Attributes:
        weight: (labels + 4, WIDTH); the last four rows are for left, top, right and bottom, in sizes of the cell's box.
        bias: (labels + 4,).
    """

    labels: tuple[str, ...]
    weight: Array
    bias: Array

    def boxes(self, picture: Picture) -> list[Box]:
        """Where things of `labels` are, the highest score first."""
        likely = likeliest(cells(picture))
        answers = described(likely) @ self.weight.T + self.bias
        scores = 1 / (1 + np.exp(-answers[:, :-4].astype(float)))
        at = np.clip(likely.at + answers[:, -4:] * sizes(likely.at), 0, [picture.width, picture.height] * 2)
        best, labels = scores.max(axis=1), scores.argmax(axis=1)
        rows = np.flatnonzero((best >= LEAST) & has_area(at))
        rows = rows[suppressed(at[rows], best[rows], labels[rows], SAME)]
        rows = rows[suppressed(at[rows], best[rows], most=SAME_PLACE)]
        return [Box(self.labels[labels[row]], float(best[row]), *map(float, at[row])) for row in rows]

    def save(self, folder: Path) -> None:
        """Write `boxes.json` and `boxes.safetensors`."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "boxes.json").write_text(json.dumps({"labels": self.labels}, indent=1))
        arrays = {"weight": np.ascontiguousarray(self.weight), "bias": np.ascontiguousarray(self.bias)}
        (folder / "boxes.safetensors").write_bytes(save(arrays))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load

        arrays = load((folder / "boxes.safetensors").read_bytes())
        labels = json.loads((folder / "boxes.json").read_text())["labels"]
        return cls(tuple(labels), arrays["weight"], arrays["bias"])


def likeliest(seen: SeenCells) -> SeenCells:
    """The `COUNT` cells with the highest scores."""
    rows = np.argsort(-seen.scores.max(axis=1), kind="stable")[:COUNT]
    return SeenCells(seen.at[rows], seen.scores[rows], seen.features[rows])


def described(seen: SeenCells) -> Array:
    """(cells, WIDTH)."""
    scores = np.clip(seen.scores, EPSILON, 1 - EPSILON)
    return np.hstack([np.log(scores / (1 - scores)), seen.features]).astype(np.float32)


def sizes(at: Places) -> Places:
    """Width, height, width and height of boxes, at least a pixel, (boxes, 4)."""
    size = np.maximum(at[:, 2:] - at[:, :2], 1)
    return np.hstack([size, size])
