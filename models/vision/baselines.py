"""Standard models of the field."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from models.image.box import to_json
from models.image.detector import things
from models.inputs import texts
from models.vision.boxes.drawn import told_of
from models.vision.boxes.head import LEAST
from models.vision.examples import LABEL, RATING
from models.vision.features import frozen
from models.vision.params import VisionParams
from models.vision.reading import URI, pictures

#: What cosines are divided by before they become probabilities.
TEMPERATURE = 0.05


@dataclass(frozen=True)
class PlainPictures:
    """A function from URIs to labels, their probabilities and ratings; and what the packaged detector finds, by the
    label that most drawn boxes have, or nothing where none was drawn."""

    answer: Callable[[list[str | None]], pd.DataFrame]
    thing: str | None = None

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`label`, `confidence`, `rating` and `boxes`."""
        uris = texts(rows, URI, "uri")
        answers = self.answer(uris).assign(boxes=to_json([]))
        if self.thing is not None:
            found = [[] if picture is None else things(picture, LEAST) for picture in pictures(uris)]
            answers["boxes"] = [to_json(replace(box, label=self.thing) for box in boxes) for boxes in found]
        return answers.set_index(rows.index)

    def save(self, folder: Path) -> None:
        raise NotImplementedError("a baseline is fitted where it is needed")


def most_frequent(train: pd.DataFrame, valid: pd.DataFrame, params: VisionParams, checkpoint: Path) -> PlainPictures:
    """The most frequent label and the mean rating, the naive baseline."""
    shares, mean = train[LABEL].value_counts(normalize=True), _mean(train)
    label, share = ("", 0.0) if shares.empty else (shares.index[0], float(shares.iloc[0]))
    told = {"label": label, "confidence": share, "rating": mean}
    return PlainPictures(lambda uris: pd.DataFrame(told, index=range(len(uris))), _thing(train))


def nearest_prototype(
    train: pd.DataFrame, valid: pd.DataFrame, params: VisionParams, checkpoint: Path
) -> PlainPictures:
    """The label whose mean features are nearest, by cosine, and the mean rating of its pictures."""
    every = pd.concat([train, valid], ignore_index=True).dropna(subset=[URI, LABEL])
    if every.empty:
        return most_frequent(train, valid, params, checkpoint)
    x = _unit(every[URI].tolist(), params.side)
    names = np.unique(every[LABEL].to_numpy(dtype=str))
    prototypes = np.stack([x[(every[LABEL] == name).to_numpy()].mean(axis=0) for name in names])
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    ratings = every.groupby(LABEL)[RATING].mean().reindex(names).fillna(_mean(every)).to_numpy()

    def answer(uris: list[str | None]) -> pd.DataFrame:
        cosines = _unit(uris, params.side) @ prototypes.T / TEMPERATURE
        raised = np.exp(cosines - cosines.max(axis=1, keepdims=True))
        chances, best = raised / raised.sum(axis=1, keepdims=True), cosines.argmax(axis=1)
        told = {"label": names.astype(object)[best], "confidence": chances.max(axis=1), "rating": ratings[best]}
        return pd.DataFrame(told).astype({"confidence": float})

    return PlainPictures(answer, _thing(train))


def _unit(uris: list[str | None], side: int) -> np.ndarray:
    """Features of length 1; zeros of a missing picture."""
    found = [None if picture is None else frozen(picture, side) for picture in pictures(uris)]
    size = next((len(one) for one in found if one is not None), 1)
    return np.stack([np.zeros(size) if one is None else one / np.linalg.norm(one) for one in found])


def _thing(rows: pd.DataFrame) -> str | None:
    """The most frequent label of drawn boxes; None without any."""
    drawn = Counter(box.label for boxes in told_of(rows) for box in boxes or [])
    return min(drawn, key=lambda label: (-drawn[label], label)) if drawn else None


def _mean(rows: pd.DataFrame) -> float:
    given = rows[RATING].dropna()
    return float(given.mean()) if len(given) else 0.0


BASELINES = {"most_frequent": most_frequent, "nearest_prototype": nearest_prototype}
