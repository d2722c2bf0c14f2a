"""What people who rated pictures before would say of one, by the released model of pictures."""

import base64
import logging
import threading
import time
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

log = logging.getLogger("adloop.images")


@dataclass(frozen=True)
class PictureRating:
    """A rating, and the lowest and the highest of those that were learnt from."""

    value: float
    low: float
    high: float


#: The rating of the bytes of a file.
Rater = Callable[[bytes], PictureRating]
#: Seconds between looks for a new champion.
LOOK_S = 30.0


class ReleasedRater:
    """The champion of the registry, verified before it is opened; a newer one replaces it within `LOOK_S`.

    Where it cannot be opened the one that is open stays, and the log says why: an analysis never fails of it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._registry = settings, Registry(settings)
        self._lock, self._due = threading.Lock(), 0.0
        self._rater: Rater | None = None
        self._version = ""

    def rating(self, content: bytes) -> PictureRating | None:
        """The rating of a file; None where nothing is released that learnt ratings."""
        with self._lock:
            if time.monotonic() >= self._due:
                self._look()
                self._due = time.monotonic() + LOOK_S
        return None if self._rater is None else self._rater(content)

    def _look(self) -> None:
        try:
            champion = self._registry.champion(FAMILY.name)
            if champion is not None and champion.version != self._version:
                folder = self._registry.download(FAMILY.name, champion.version)
                model = open_bundle(folder, public_key(self._settings), FAMILY.name, champion.version).model
                self._rater = rater_of(model) if isinstance(model, PictureModel) else None
                self._version = champion.version
        except Exception as fault:  # registry, disk or bundle
            log.error("the champion of %s cannot be opened: %s", FAMILY.name, fault)


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
