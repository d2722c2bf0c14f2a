"""The model of pictures: one backbone, a head for labels and one for ratings; and a head for boxes on the detector."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from models.image.box import to_json
from models.inputs import texts
from models.logistic import Doubles, LogisticHead
from models.vision.boxes.head import BoxHead
from models.vision.encoder import Array, TunedTail
from models.vision.features import features
from models.vision.ratings import RidgeHead
from models.vision.reading import URI, pictures

ANSWERS = ("label", "confidence", "rating", "rated", "boxes")


@dataclass(frozen=True)
class LabelHead:
    """What is learnt of labels: a head, and the share of each label, all that is known of a missing picture."""

    logistic: LogisticHead
    shares: Array

    def answer(self, x: Array, there: np.ndarray) -> tuple[np.ndarray, Doubles]:
        """The likeliest label and its probability."""
        chances = self.logistic.probabilities(x)
        chances[~there] = self.shares
        best = chances.argmax(axis=1)
        return np.array(self.logistic.labels, dtype=object)[best], chances[np.arange(len(x)), best]


@dataclass(frozen=True)
class RatingHead:
    """What is learnt of ratings: a head, and their mean."""

    ridge: RidgeHead
    mean: float

    def answer(self, x: Array, there: np.ndarray) -> Doubles:
        return np.where(there, self.ridge.rate(x), self.mean)


@dataclass(frozen=True)
class PictureModel:
    """What is learnt of pictures.

    Attributes:
        labels, ratings, boxes: heads; None where there was none of it to learn from.
        side: `VisionParams.side`.
        tuned: the backbone's last blocks, fine-tuned; None where it is frozen.
    """

    labels: LabelHead | None
    ratings: RatingHead | None
    side: int
    tuned: TunedTail | None = None
    boxes: BoxHead | None = None

    @property
    def learnt(self) -> str:
        """What it is, in words."""
        backbone = "a frozen backbone" if self.tuned is None else f"a backbone with {self.tuned.blocks} tuned blocks"
        heads: dict[str, object] = {"labels": self.labels, "ratings": self.ratings}
        if self.boxes is not None:
            heads["boxes"] = self.boxes
        told = [f"{name} were learnt" if head else f"no {name} were given" for name, head in heads.items()]
        return f"{backbone}; {'; '.join(told)}"

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`label` and its calibrated probability `confidence`; `rating`, and whether it was learnt (`rated`); `boxes`,
        JSON text that `models.image.box.from_json` reads.

        Without labels to learn from the label is empty, with a confidence of 0; without ratings the rating is 0;
        without boxes there are none. A missing picture has the most frequent label, the mean rating and no boxes.
        Raises `InvalidRows`.
        """
        uris = texts(rows, URI, "uri")
        once = {uri: place for place, uri in enumerate(dict.fromkeys(uris))}
        return self._answers(list(once)).iloc[[once[uri] for uri in uris]].set_axis(rows.index)

    def save(self, folder: Path) -> None:
        """Write `vision.json`, `weights.safetensors` and, where blocks are tuned, `tuned.onnx`; of boxes, what their
        head writes."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        about: dict[str, Any] = {"side": self.side, "labels": None, "ratings": None, "blocks": None, "boxes": False}
        arrays: dict[str, np.ndarray] = {}
        if self.labels is not None:
            head = self.labels.logistic
            about["labels"] = list(head.labels)
            arrays |= {"label.weight": head.weight, "label.bias": head.bias, "label.shares": self.labels.shares}
        if self.ratings is not None:
            ridge = self.ratings.ridge
            about["ratings"] = [ridge.bias, ridge.low, ridge.high, self.ratings.mean]
            arrays["rating.weight"] = ridge.weight
        if self.tuned is not None:
            about["blocks"] = self.tuned.blocks
            (folder / "tuned.onnx").write_bytes(self.tuned.content)
        if self.boxes is not None:
            about["boxes"] = True
            self.boxes.save(folder / "boxes")
        (folder / "vision.json").write_text(json.dumps(about, indent=1))
        # What safetensors writes is the memory of an array, in whichever order.
        rows = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        (folder / "weights.safetensors").write_bytes(save(rows))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load

        arrays = load((folder / "weights.safetensors").read_bytes())
        about = json.loads((folder / "vision.json").read_text())
        labels = ratings = tuned = None
        if about["labels"] is not None:
            logistic = LogisticHead(tuple(about["labels"]), arrays["label.weight"], arrays["label.bias"])
            labels = LabelHead(logistic, arrays["label.shares"])
        if about["ratings"] is not None:
            bias, low, high, mean = about["ratings"]
            ratings = RatingHead(RidgeHead(arrays["rating.weight"], bias, low, high), mean)
        if about["blocks"] is not None:
            tuned = TunedTail((folder / "tuned.onnx").read_bytes(), about["blocks"])
        boxes = BoxHead.load(folder / "boxes") if about["boxes"] else None
        return cls(labels, ratings, about["side"], tuned, boxes)

    def _answers(self, uris: Sequence[str | None]) -> pd.DataFrame:
        x, boxes = self._seen(uris)
        there = np.array([uri is not None for uri in uris], dtype=bool)
        answers = pd.DataFrame({"label": "", "confidence": 0.0, "rating": 0.0}, index=range(len(uris)))
        if self.labels is not None:
            answers["label"], answers["confidence"] = self.labels.answer(x, there)
        if self.ratings is not None:
            answers["rating"] = self.ratings.answer(x, there)
        return answers.assign(rated=self.ratings is not None, boxes=boxes)

    def _seen(self, uris: Sequence[str | None]) -> tuple[Array, list[str]]:
        """The features of each picture, zeros of a missing one, and its boxes."""
        width = next((head.shape[-1] for head in self._weights()), 0)
        x, boxes = np.zeros((len(uris), width), np.float32), [to_json([])] * len(uris)
        for place, picture in enumerate(pictures(uris)):
            if picture is not None and width:
                x[place] = features(picture, self.side, self.tuned)
            if picture is not None and self.boxes is not None:
                boxes[place] = to_json(self.boxes.boxes(picture))
        return x, boxes

    def _weights(self) -> list[Array]:
        label = [] if self.labels is None else [self.labels.logistic.weight]
        return label + ([] if self.ratings is None else [self.ratings.ridge.weight])
