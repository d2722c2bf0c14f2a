"""The released classifier of texts, in this process."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from features.settings import Settings
from models.bundle import Bundle, open_bundle
from models.keys import public_key
from models.nlp import FAMILY
from models.nlp.model import ANSWERS, TextClassifier
from models.registry import Registry

log = logging.getLogger("adloop.texts")

#: Seconds between looks for a new champion.
LOOK_S = 30.0


@dataclass(frozen=True)
class TextAnswer:
    """What a classifier says of a text.

    Attributes:
        label: the likeliest label of the task.
        confidence: its calibrated probability.
        score: sentiment from -1 to 1; None for a task whose labels are no sentiments.
        in_scope: probability that the text belongs to any label of the task.
    """

    label: str
    confidence: float
    score: float | None
    in_scope: float


class ReleasedClassifier:
    """The champion of the registry, verified before it is opened; a newer champion replaces it within `LOOK_S`."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._registry = settings, Registry(settings)
        self._lock, self._looked = threading.Lock(), -LOOK_S
        self._bundle: Bundle | None = None
        self._version = ""

    @property
    def version(self) -> str:
        """The version that answers. Raises `LookupError` where none is released."""
        self._current()
        return self._version

    def classify(
        self, texts: Sequence[str], task: str, aspects: Sequence[str | None] | None = None
    ) -> list[TextAnswer]:
        """One answer for each text, about its `aspect` (a brand or thing in it) where one is given.

        Raises `LookupError` where no version is released, and `ValueError` for a task that it has not learnt.
        """
        model = self._current()
        if task not in model.tasks:
            raise ValueError(f"task: expected one of {', '.join(model.tasks)}, got '{task}'; its examples are missing")
        about = [None] * len(texts) if aspects is None else list(aspects)
        rows = pd.DataFrame({"text": list(texts), "task": task, "aspect": pd.Series(about, dtype=object)})
        rated, answers = model.tasks[task].rated, model.predict(rows)[list(ANSWERS)].to_numpy().tolist()
        return [TextAnswer(label, sure, score if rated else None, inside) for label, sure, score, inside in answers]

    def _current(self) -> TextClassifier:
        with self._lock:
            if time.monotonic() >= self._looked + LOOK_S:
                self._look()
            if self._bundle is None or not isinstance(self._bundle.model, TextClassifier):
                raise LookupError(f"no classifier of texts is released: adloop run --family {FAMILY.name}")
            return self._bundle.model

    def _look(self) -> None:
        """Open the champion if it is another one; without a registry the one that is open stays."""
        try:
            champion = self._registry.champion(FAMILY.name)
            if champion is not None and champion.version != self._version:
                folder = self._registry.download(FAMILY.name, champion.version)
                self._bundle = open_bundle(folder, public_key(self._settings), FAMILY.name)
                self._version = champion.version
        except Exception:
            if self._bundle is None:
                raise
            log.exception("the champion of %s cannot be opened; version %s stays", FAMILY.name, self._version)
        self._looked = time.monotonic()
