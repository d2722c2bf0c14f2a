"""What people who rated pictures before would say of one, by the released model of pictures."""

import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from features.settings import Settings
from models.vision import FAMILY
from models.vision.model import PictureModel
from models.vision.reading import URI
from serving.released.champion import FollowedChampion

log = logging.getLogger("adloop.images")


@dataclass(frozen=True)
class PictureRating:
    """A rating, and the lowest and the highest of those that were learnt from."""

    value: float
    low: float
    high: float


#: The rating of the bytes of a file.
Rater = Callable[[bytes], PictureRating]


class ReleasedRater:
    """The champion of the family that learns from pictures, followed; an analysis never fails of it."""

    def __init__(self, settings: Settings) -> None:
        self._champion = FollowedChampion(FAMILY.name, settings, log)

    def rating(self, content: bytes) -> PictureRating | None:
        """The rating of a file; None where nothing is released that learnt ratings."""
        bundle = self._champion.bundle
        rate = rater_of(bundle.model) if bundle is not None and isinstance(bundle.model, PictureModel) else None
        return None if rate is None else rate(content)


def rater_of(model: PictureModel) -> Rater | None:
    """The rater of a model; None where it learnt no ratings."""
    if model.ratings is None:
        return None
    low, high = model.ratings.ridge.low, model.ratings.ridge.high

    def rate(content: bytes) -> PictureRating:
        # The model reads the whole file as it did in training, and not what an analysis reduced.
        uri = f"data:;base64,{base64.b64encode(content).decode()}"
        answer = model.predict(pd.DataFrame({URI: [uri]}))
        return PictureRating(round(float(answer["rating"].iloc[0]), 4), low, high)

    return rate
