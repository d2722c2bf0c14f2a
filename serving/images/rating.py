"""What people who rated pictures before would say of one, by the released model of pictures."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from features.settings import Settings
from models.bundle import open_bundle
from models.keys import public_key
from models.registry import Registry
from models.vision import FAMILY
from models.vision.model import PictureModel
from models.vision.reading import URI


@dataclass(frozen=True)
class PictureRating:
    """A rating, and the lowest and the highest of those that were learnt from."""

    value: float
    low: float
    high: float


#: The rating of the bytes of a file.
Rater = Callable[[bytes], PictureRating]


def released_rater(settings: Settings) -> Rater | None:
    """The rater of the champion, verified before it is opened; None where none is released or it learnt no ratings."""
    registry = Registry(settings)
    champion = registry.champion(FAMILY.name)
    if champion is None:
        return None
    folder = registry.download(FAMILY.name, champion.version)
    model = open_bundle(folder, public_key(settings), FAMILY.name, champion.version).model
    return rater_of(model) if isinstance(model, PictureModel) else None


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
