"""Fits the model: tunes the backbone on labels and ratings, then fits a head for each."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.image.efficientnet import BLOCKS, SIZE, tail
from models.inputs import texts
from models.logistic import LogisticHead, Recipe
from models.vision.boxes.fit import fit_boxes
from models.vision.boxes.head import BoxHead
from models.vision.encoder import Array, TunedTail
from models.vision.examples import LABEL, RATING
from models.vision.features import FROZEN, VIEWS, features
from models.vision.model import LabelHead, PictureModel, RatingHead
from models.vision.params import VisionParams
from models.vision.ratings import FEWEST, RidgeHead, RidgeRecipe
from models.vision.reading import URI, pictures

if TYPE_CHECKING:
    from models.vision.tuning.maps import Maps
    from models.vision.tuning.training import TunedImages

#: Inverse penalties that are tried.
PENALTIES = (0.001, 0.01, 0.1, 1.0)
#: Pictures up to which those that were tuned on are learnt from too: it takes another training.
FEW = 2000


@dataclass(frozen=True)
class EncodedPictures:
    """Pictures with one purpose: their URIs, what is told of them, and their features."""

    uris: tuple[str, ...]
    labels: npt.NDArray[np.object_]
    ratings: npt.NDArray[np.float64]
    x: Array

    @classmethod
    def of(cls, rows: pd.DataFrame, side: int, tuned: TunedTail | None = None) -> Self:
        """Pictures are opened one at a time; rows without one are left out."""
        uris = [uri for uri in texts(rows, URI, "uri") if uri is not None]
        x = [features(picture, side, tuned) for picture in pictures(uris) if picture is not None]
        rows = rows[rows[URI].notna()]
        width = FROZEN if tuned is None else FROZEN + SIZE
        stacked = np.stack(x) if x else np.empty((0, width), np.float32)
        return cls(tuple(uris), rows[LABEL].to_numpy(dtype=object), rows[RATING].to_numpy(dtype=float), stacked)

    def joined(self, other: Self) -> Self:
        """These, and then the others."""
        return type(self)(
            self.uris + other.uris,
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.ratings, other.ratings]),
            np.vstack([self.x, other.x]),
        )

    def labelled(self, x: Array) -> tuple[Array, npt.NDArray[np.str_]]:
        """The features and labels of those that have one."""
        here = np.array([label is not None and label == label for label in self.labels], dtype=bool)
        return x[here], self.labels[here].astype(str)

    def rated(self, x: Array) -> tuple[Array, npt.NDArray[np.float64]]:
        """The features and ratings of those that have one."""
        here = ~np.isnan(self.ratings)
        return x[here], self.ratings[here]


@dataclass(frozen=True)
class Recipes:
    """What was chosen on held-out pictures; None for what was not learnt."""

    label: Recipe | None
    rating: RidgeRecipe | None


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: VisionParams, checkpoint: Path) -> PictureModel:
    """Fit what `train` tells. Of `FEW` pictures, those that were tuned on are learnt from too, once all is chosen.

    Raises `ValueError` where neither labels, ratings nor boxes are given.
    """
    boxes = fit_boxes(train, valid, params, checkpoint)
    learnt, held = (EncodedPictures.of(rows, params.side) for rows in (train, valid))
    few = 0 < len(held.uris) <= FEW - len(learnt.uris)
    maps = _maps(learnt.joined(held) if few else learnt, params, checkpoint)
    tuned, found = _tuned(learnt, maps, params, checkpoint)
    vectors = None if tuned is None else _vectors(valid, tuned, params)
    recipes = _chosen(learnt, held, vectors, found, params.seed)
    if few:
        learnt = learnt.joined(held)
        tuned, found = _tuned(learnt, maps, params, checkpoint / "every")
    return _fitted(learnt, recipes, tuned, found, boxes, params)


def frozen_linear(train: pd.DataFrame, valid: pd.DataFrame, params: VisionParams, checkpoint: Path) -> PictureModel:
    """The same without tuning."""
    return fit(train, valid, params.model_copy(update={"epochs": 0}), checkpoint)


def _chosen(
    learnt: EncodedPictures, held: EncodedPictures, vectors: Array | None, found: "TunedImages | None", seed: int
) -> Recipes:
    """Penalties, features and temperature of the heads, and what the tuned blocks weigh in them."""
    label = rating = None
    if _has_labels(learnt):
        both = learnt.labelled(learnt.x), held.labelled(held.x)
        head, label = LogisticHead.chosen(*both, VIEWS, seed, PENALTIES)
        if found is not None and vectors is not None:
            label = replace(label, shares=head.shares(found.labels, *held.labelled(np.hstack([held.x, vectors]))))
    if _has_ratings(learnt):
        ridge, rating = RidgeHead.chosen(learnt.rated(learnt.x), held.rated(held.x), VIEWS)
        if found is not None and vectors is not None:
            rating = replace(rating, share=ridge.share(found.ratings, *held.rated(np.hstack([held.x, vectors]))))
    return Recipes(label, rating)


def _fitted(
    learnt: EncodedPictures,
    recipes: Recipes,
    tuned: TunedTail | None,
    found: "TunedImages | None",
    boxes: BoxHead | None,
    params: VisionParams,
) -> PictureModel:
    labels = ratings = None
    if recipes.label is not None:
        x, names = learnt.labelled(learnt.x)
        logistic = LogisticHead.fit(x, names, recipes.label, params.seed)
        shares = np.array([(names == name).mean() for name in logistic.labels], np.float32)
        if found is not None:
            logistic = logistic.joined(found.labels, recipes.label.shares)
        labels = LabelHead(logistic, shares)
    if recipes.rating is not None:
        x, rated = learnt.rated(learnt.x)
        ridge = RidgeHead.fit(x, rated, recipes.rating)
        if found is not None:
            ridge = ridge.joined(found.ratings, recipes.rating.share)
        ratings = RatingHead(ridge, float(rated.mean()))
    if labels is None and ratings is None and boxes is None:
        raise ValueError(f"images: expected labels, {FEWEST} ratings, or boxes, got none of them")
    return PictureModel(labels, ratings, params.side, tuned, boxes)


def _maps(pictures: EncodedPictures, params: VisionParams, checkpoint: Path) -> "Maps | None":
    """What is tuned on, of each picture; None without epochs, or without anything to tune on."""
    if not params.epochs or not (_has_labels(pictures) or _has_ratings(pictures)):
        return None
    from models.vision.tuning.maps import written

    return written(pictures.uris, params, checkpoint)


def _tuned(
    learnt: EncodedPictures, maps: "Maps | None", params: VisionParams, checkpoint: Path
) -> tuple[TunedTail | None, "TunedImages | None"]:
    """The tuned blocks, and linear heads on them; `maps` begin with those of `learnt`."""
    if maps is None:
        return None, None
    from models.vision.tuning.training import ImageExamples, tune

    names = np.unique(learnt.labelled(learnt.x)[1])
    codes = np.array([int(np.searchsorted(names, str(one))) if one in names else -1 for one in learnt.labels])
    examples = ImageExamples(maps[: len(learnt.uris)], codes.astype(np.int64), len(names), learnt.ratings)
    found = tune(examples, params, checkpoint)
    return TunedTail(tail(len(BLOCKS) - params.blocks, found.arrays), params.blocks), found


def _vectors(rows: pd.DataFrame, tuned: TunedTail, params: VisionParams) -> Array:
    return EncodedPictures.of(rows, params.side, tuned).x[:, FROZEN:]


def _has_labels(learnt: EncodedPictures) -> bool:
    return len(learnt.labelled(learnt.x)[1]) > 0


def _has_ratings(learnt: EncodedPictures) -> bool:
    return int((~np.isnan(learnt.ratings)).sum()) >= FEWEST
