"""Finding raccoons, which the packaged detector does not know, after learning from photographs with drawn boxes.

All was chosen by cross-validation on the photographs to learn from.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from features.settings import Settings
from models.evaluation.bootstrap import interval
from models.image.backbone import embed
from models.image.box import Box, from_json, places, suppressed, to_json
from models.image.detector import things
from models.image.picture import Picture, opened
from models.vision.boxes.fit import fit_boxes
from models.vision.boxes.head import SAME, BoxHead
from models.vision.boxes.precision import ap50
from models.vision.copies import groups, reduced
from models.vision.params import VisionParams
from models.vision.reading import pictures

DATA = Path(__file__).parents[2].parent / "shared/data/raccoon_detection"
NAME, SECONDS, UNTRAINED = "vision.raccoon.ap50", "vision.raccoon.seconds", "vision.raccoon.ap50.untrained"
NAMES = (NAME, UNTRAINED, SECONDS)
LABEL, SEED, TEST = "raccoon", 0, 30
#: Of a picture, boxes that the baselines score.
PROPOSALS = 30


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Average precision at an IoU of .5 on photographs that were not learnt from, and seconds of the training."""
    if not DATA.is_dir():
        yield from ({"name": name, "absent": f"{DATA.name} is not there"} for name in NAMES)
        return
    every = photographs()
    train, test = (every[every["test"] == part].reset_index(drop=True) for part in (False, True))
    with patch.dict(os.environ, ADLOOP_IMAGES=str(DATA)), TemporaryDirectory() as folder:
        begun = monotonic()
        head = fit_boxes(train, train[:0], VisionParams(seed=SEED), Path(folder))
        seconds = monotonic() - begun
        assert head is not None
        answers = _answers(test, head)
        naive = {"prototype": _prototyped(train, test), "untrained": _answers(test, None)}
    metric = ap50()
    found, prototype = interval(metric, test, answers, SEED), metric.measure(test, naive["prototype"])
    about = {"seed": SEED, "data_hash": hashlib.sha256("".join(every["sha256"]).encode()).hexdigest()}
    unit = f"average precision at IoU .5 in {len(test)} photographs, learnt from {len(train)}"
    yield {
        "name": NAME,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "baseline": prototype,
        "goal": f">= .60, > {prototype:.4f}",
        "unit": f"{unit}; the baseline is the cosine of crops to the mean of the animals",
        **about,
    }
    untrained = interval(metric, test, naive["untrained"], SEED)
    yield {
        "name": UNTRAINED,
        "value": untrained.value,
        "low": untrained.low,
        "high": untrained.high,
        "unit": f"{unit}: what the detector finds, whatever it takes it for",
        **about,
    }
    yield {"name": SECONDS, "value": seconds, "goal": "<= 300", "unit": "seconds to read and learn", **about}


def photographs() -> pd.DataFrame:
    """`uri`, `boxes`, `sha256` and whether it is for the test; near copies are on one side."""
    files = sorted(DATA.glob("annotations/*.xml"))
    trees = [ElementTree.parse(file) for file in files]  # noqa: S314 - files of this machine
    images = [DATA / "images" / str(tree.findtext("filename")) for tree in trees]
    opened_ones = [opened(image.read_bytes()) for image in images]
    group = pd.Series(groups([reduced(picture) for picture in opened_ones]))
    first = pd.Series([image.name for image in images]).groupby(group).transform("first")
    return pd.DataFrame(
        {
            "uri": [image.as_uri() for image in images],
            "boxes": [to_json(map(_box, tree.iter("bndbox"))) for tree in trees],
            "sha256": [picture.sha256 for picture in opened_ones],
            "test": [int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100 < TEST for name in first],
        }
    )


def _box(told: ElementTree.Element) -> Box:
    return Box(LABEL, 1.0, *(float(str(told.findtext(edge))) for edge in ("xmin", "ymin", "xmax", "ymax")))


def _answers(rows: pd.DataFrame, head: BoxHead | None) -> pd.DataFrame:
    """What the head finds; without one what the detector finds, all of it called by the label."""
    found = [_untrained(picture) if head is None else head.boxes(picture) for picture in _pictures(rows)]
    return pd.DataFrame({"boxes": map(to_json, found)}, index=rows.index)


def _untrained(picture: Picture) -> list[Box]:
    return [Box(LABEL, box.score, *box.place) for box in things(picture, 0.05)]


def _prototyped(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The detector's boxes by the cosine of their crops to the mean of the drawn animals', embedded by the backbone."""
    animals = [
        _embedded(picture, from_json(boxes)) for picture, boxes in zip(_pictures(train), train["boxes"], strict=True)
    ]
    prototype = np.concatenate(animals).mean(axis=0)
    found = []
    for picture in _pictures(test):
        boxes = things(picture, 0.05, PROPOSALS)
        cosines = np.clip(_embedded(picture, boxes) @ prototype / np.linalg.norm(prototype), 0, 1)
        kept = suppressed(places(boxes), cosines, most=SAME)
        found.append([Box(LABEL, float(cosines[row]), *boxes[row].place) for row in kept])
    return pd.DataFrame({"boxes": map(to_json, found)}, index=test.index)


def _embedded(picture: Picture, boxes: list[Box]) -> np.ndarray:
    """Embeddings of the crops, of length 1."""
    crops = []
    for place, box in enumerate(boxes):
        left, top, right, bottom = (round(edge) for edge in box.place)
        pixels = picture.pixels[max(top, 0) : max(bottom, top + 1), max(left, 0) : max(right, left + 1)]
        crops.append(replace(picture, pixels=pixels, sha256=f"{picture.sha256}.{place}"))
    vectors = embed(crops)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _pictures(rows: pd.DataFrame) -> Iterator[Picture]:
    return (picture for picture in pictures(rows["uri"]) if picture is not None)
