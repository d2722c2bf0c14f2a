"""Average precision of boxes, as PASCAL VOC measures it since 2010 (Everingham et al., 2010)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation.labels import of_samples
from models.evaluation.metrics import Array, Metric
from models.image.box import Box, overlaps, places
from models.vision.boxes.drawn import BOXES, told_of

#: Overlap from which a box is where one was drawn.
LEAST = 0.5


def ap50() -> Metric:
    """Mean over labels of the average precision at an IoU of .5, of pictures whose boxes are told; NaN without any."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        here = truth[BOXES].notna().to_numpy()
        drawn, found = ([boxes or [] for boxes in told_of(frame[here])] for frame in (truth, answers))
        return mean_precision(drawn, found, weights[:, here])

    return of_samples("ap50", resample, needs=BOXES)


def mean_precision(drawn: Sequence[list[Box]], found: Sequence[list[Box]], weights: Array) -> Array:
    """The mean over labels of their average precision, a figure for each line of weights of the pictures.

    A label that no picture of a sample shows does not count in it; NaN where none does.
    """
    labels = sorted({box.label for boxes in drawn for box in boxes})
    sums, counts = np.zeros(len(weights)), np.zeros(len(weights))
    for label in labels:
        there, told = ([[box for box in boxes if box.label == label] for boxes in every] for every in (drawn, found))
        total = weights @ np.array([len(boxes) for boxes in there], dtype=float)
        sums += np.where(total > 0, _precision(there, told, weights, total), 0)
        counts += total > 0
    return np.divide(sums, counts, out=np.full(len(weights), np.nan), where=counts > 0)


def _precision(drawn: Sequence[list[Box]], found: Sequence[list[Box]], weights: Array, total: Array) -> Array:
    """Area under the curve of precision over recall, precision being the best at that recall or more."""
    rows = [(-box.score, place, hit) for place, boxes in enumerate(found) for box, hit in _hits(boxes, drawn[place])]
    rows.sort(key=lambda row: row[:2])
    picture, hit = np.array([row[1] for row in rows], dtype=int), np.array([row[2] for row in rows], dtype=float)
    drawn_so_far = weights[:, picture].cumsum(axis=1)
    hits = (weights[:, picture] * hit).cumsum(axis=1)
    precision = np.divide(hits, drawn_so_far, out=np.zeros_like(hits), where=drawn_so_far > 0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    steps = np.diff(hits, axis=1, prepend=0) / np.maximum(total, 1)[:, None]
    area: npt.NDArray[np.float64] = (steps * best).sum(axis=1)
    return area


def _hits(found: Sequence[Box], drawn: Sequence[Box]) -> list[tuple[Box, bool]]:
    """Whether each box, the highest score first, is the first one where another was drawn."""
    ordered = sorted(found, key=lambda box: -box.score)
    shared, taken, told = overlaps(places(ordered), places(drawn)), set[int](), []
    for box, line in zip(ordered, shared, strict=True):
        best = int(line.argmax()) if len(line) else -1
        hit = best >= 0 and line[best] >= LEAST and best not in taken
        taken |= {best} if hit else set()
        told.append((box, bool(hit)))
    return told
