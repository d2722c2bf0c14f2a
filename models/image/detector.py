"""Finds things in a picture by NanoDet (RangiLyu, 2020), which knows the 80 classes of COCO.

Its boxes are read as generalized focal loss has it (Li et al., 2020): each edge's distance from a cell's centre is the
mean of a distribution over 11 bins, and the score is the highest of the classes'.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.image.box import Box, Places, has_area, suppressed
from models.image.picture import Picture, Pixels
from models.image.weights import session, verified

FILE = "nanodet_416_fp16.onnx"
SHA256 = "e5ca196c57e45907c5571da0c8b87891a3c1c00e99b87d7ba866cc55f782c8b3"
#: Pixels a side of what the network reads, and of a cell of each of its three maps.
SIDE, CELLS = 416, (8, 16, 32)
#: Its outputs, of one map after the other: (1, cells, 80) scores, and (1, cells, 4 * 11) distributions over distances.
SCORES, DISTANCES = ("Identity", "Identity_1", "Identity_2"), ("Identity_3", "Identity_4", "Identity_5")
BINS = 11
#: What its last layer reads of each map, (1, FEATURES, cells down, cells across).
INNER = tuple(f"PartitionedCall/onnx_tf_prefix_LeakyRelu_{number}" for number in (151, 162, 173))
FEATURES = 128
#: Of blue, green and red, the mean and deviation that the network was trained with.
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)
#: Boxes of one label that overlap by more are one thing; of several labels, boxes that overlap by more still.
SAME, SAME_PLACE = 0.6, 0.8
#: COCO's names of its classes, in the order of the scores.
LABELS = tuple(Path(__file__).with_name("coco.txt").read_text("utf-8").splitlines())

Tensor = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SeenCells:
    """What the network sees in a picture, a row a cell.

    Attributes:
        at: each cell's box (cells, 4), in pixels of the whole picture and clipped to it.
        scores: of `LABELS`, (cells, 80).
        features: what its last layer reads, (cells, FEATURES).
    """

    at: Places
    scores: Tensor
    features: Tensor


def detect(picture: Picture, least: float = 0.35) -> list[Box]:
    """Things of `LABELS` with a score of at least `least`, the highest first."""
    found = cells(picture)
    return labelled(found.at, found.scores, least)


def labelled(at: Places, scores: Tensor, least: float) -> list[Box]:
    """Of all cells' boxes those with a score of at least `least`, one a thing."""
    best, labels = scores.max(axis=1), scores.argmax(axis=1)
    rows = np.flatnonzero((best >= least) & has_area(at))
    rows = rows[suppressed(at[rows], best[rows], labels[rows], SAME)]
    rows = rows[suppressed(at[rows], best[rows], most=SAME_PLACE)]
    return [Box(LABELS[labels[row]], float(best[row]), *map(float, at[row])) for row in rows]


def things(picture: Picture, least: float = 0.15, most: int = 100) -> list[Box]:
    """Where anything is, known to COCO or not: the place is good, while the label is only the nearest of `LABELS`.

    On photographs of an animal that COCO lacks, 95% of the animals had a box with an IoU of .5, among 7 of a picture;
    99% by a `least` of .05, among 51.
    """
    found = cells(picture)
    best, labels = found.scores.max(axis=1), found.scores.argmax(axis=1)
    rows = np.flatnonzero((best >= least) & has_area(found.at))
    rows = rows[suppressed(found.at[rows], best[rows], most=SAME)][:most]
    return [Box(LABELS[labels[row]], float(best[row]), *map(float, found.at[row])) for row in rows]


def cells(picture: Picture) -> SeenCells:
    """What the network sees in a picture."""
    return seen(picture.pixels, picture.width, picture.height)


def seen(pixels: Pixels, width: float, height: float) -> SeenCells:
    """What it sees in the pixels of a picture of this size."""
    read, (left, top, across, down) = letterboxed(pixels)
    told = outputs(read)
    at, scores = decoded(told)
    inside = (at - [left, top, left, top]) / [across, down, across, down]
    features = np.concatenate([told[name][0].reshape(FEATURES, -1).T for name in INNER])
    return SeenCells(np.clip(inside, 0, 1) * [width, height, width, height], scores, features)


def letterboxed(pixels: Pixels) -> tuple[Tensor, npt.NDArray[np.float64]]:
    """What the network reads, (1, 3, SIDE, SIDE), and where the picture lies in it: left, top, width and height.

    The picture keeps its ratio and is padded with the mean colour. Stretched to a square instead, 81% of the animals
    named above had a box with a score of .35, letterboxed 86%.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (SIDE - across) // 2, (SIDE - down) // 2
    resized = cv2.resize(pixels, (across, down), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    read = np.zeros((SIDE, SIDE, 3), np.float32)
    read[top : top + down, left : left + across] = (resized[:, :, ::-1] - MEAN) / DEVIATION
    return read.transpose(2, 0, 1)[None], np.array([left, top, across, down], dtype=float)


def decoded(outputs: Mapping[str, npt.NDArray[Any]]) -> tuple[Places, Tensor]:
    """Boxes in what the network read, a row a cell, (cells, 4), and their scores by class, (cells, 80)."""
    bins = np.concatenate([outputs[name][0] for name in DISTANCES]).reshape(-1, 4, BINS).astype(float)
    shares = np.exp(bins - bins.max(axis=2, keepdims=True))
    distances = shares @ np.arange(BINS) / shares.sum(axis=2)
    centres, sizes = _cells()
    offsets = distances * sizes[:, None]
    return (
        np.hstack([centres - offsets[:, :2], centres + offsets[:, 2:]]),
        np.concatenate([outputs[name][0] for name in SCORES]),
    )


def outputs(read: Tensor) -> dict[str, npt.NDArray[Any]]:
    """The network's outputs by name."""
    names = [*SCORES, *DISTANCES, *INNER]
    return dict(zip(names, _network().run(names, {"input_1": read}), strict=True))


@cache
def _network() -> Any:
    import onnx

    model = onnx.load_model_from_string(verified("models.image", FILE, SHA256))
    shown = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in INNER)
    model.graph.output.extend(shown)
    return session(model.SerializeToString())


@cache
def _cells() -> tuple[Places, Places]:
    """Of each cell its centre, x and y, and its size; row by row, in one map after the other."""
    centres, sizes = [], []
    for size in CELLS:
        line = (np.arange(SIDE // size) + 0.5) * size
        x, y = np.meshgrid(line, line)
        centres.append(np.stack([x.ravel(), y.ravel()], axis=1))
        sizes.append(np.full(x.size, float(size)))
    return np.concatenate(centres), np.concatenate(sizes)
