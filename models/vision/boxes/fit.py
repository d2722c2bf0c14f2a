"""Fits where things are."""

from pathlib import Path

import pandas as pd

from models.inputs import texts
from models.vision.boxes.drawn import told_of
from models.vision.boxes.examples import DrawnPictures
from models.vision.boxes.head import BoxHead
from models.vision.params import VisionParams
from models.vision.reading import URI


def fit_boxes(train: pd.DataFrame, valid: pd.DataFrame, params: VisionParams, checkpoint: Path) -> BoxHead | None:
    """Learn from all pictures whose boxes are told, of `valid` too, as nothing is chosen.

    A list without boxes says that a picture shows nothing. A killed fit goes on from `checkpoint`. None where no box is
    told.

    Raises `InvalidRows` that names the box, field and row.
    """
    every = pd.concat([train, valid])
    told = zip(texts(every, URI, "uri"), every.index, told_of(every), strict=True)
    known = [(uri, row, boxes) for uri, row, boxes in told if uri is not None and boxes is not None]
    if not any(boxes for _, _, boxes in known):
        return None
    from models.vision.boxes.training import learnt

    drawn = DrawnPictures(*(tuple(column) for column in zip(*known, strict=True)))
    folder = checkpoint / "boxes"
    return learnt(drawn.written(params, folder), drawn.labels, params, folder)
